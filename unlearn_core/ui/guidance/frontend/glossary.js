// The glossary: finds terms in the text of the page, underlines the first of each, and shows their definitions.
// The page belongs to Streamlit, so nothing in it is changed: underlines are highlights of ranges of its text.

const NAME = "glossary-term", REST = 350, LEAVE = 250, SETTLE = 400, GAP = 6;
const INTERACTIVE = "a, button, summary, [role=tab], [role=button], [role=option], label:has(input[type=checkbox], input[type=radio])";
const UNREAD = "script, style, code, pre, textarea, input, svg, [contenteditable=true], .katex";
const explainers = new WeakMap();

class Explainer {
  constructor(root) {
    for (const name of ["open", "words", "terms", "here", "others", "tip"]) this[name] = root.querySelector(`.${name}`);
    this.heading = root.querySelector("#heading");
    this.summary = root.querySelector("summary");
    this.found = []; // [{ index, range, isText }]: where each term that the page has is explained.
    this.ended = new AbortController();
    const on = (kind, act, options = {}) => document.addEventListener(kind, act, { signal: this.ended.signal, ...options });
    on("pointermove", (event) => this.onMove(event), { passive: true });
    on("click", (event) => this.onClick(event), { capture: true });
    on("keydown", (event) => this.onKey(event), { capture: true });
    on("scroll", () => this.hide(), { capture: true, passive: true });
    this.terms.addEventListener("beforetoggle", (event) => {
      if (event.newState === "open") this.list();
      // Browsers lose the focus here, as the button is in a shadow tree.
      else if (this.terms.contains(this.terms.getRootNode().activeElement)) setTimeout(() => this.open.focus());
    });
    this.observer = new MutationObserver(() => this.findSoon());
    this.observer.observe(document.body, { childList: true, characterData: true, subtree: true });
    this.sheet = new CSSStyleSheet();
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, this.sheet];
  }

  end() {
    this.ended.abort();
    this.observer.disconnect();
    clearTimeout(this.settling);
    CSS.highlights?.delete(NAME);
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((sheet) => sheet !== this.sheet);
  }

  update(data) {
    this.data = data;
    this.open.hidden = !data.button;
    this.words.textContent = this.heading.textContent = data.button;
    const line = "underline 1px dotted color-mix(in srgb, currentColor 65%, transparent)";
    this.sheet.replaceSync(data.underlined ? `::highlight(${NAME}) { text-decoration: ${line}; }` : "");
    const forms = data.terms.flatMap((term, index) => term.forms.map((form) => [form.toLowerCase(), index]));
    this.byForm = new Map(forms.reverse());
    const escaped = [...this.byForm.keys()].sort((a, b) => b.length - a.length)
      .map((form) => form.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    this.pattern = new RegExp(`(?<![\\p{L}\\p{N}_-])(?:${escaped.join("|")})(?![\\p{L}\\p{N}_-])`, "giu");
    this.findSoon();
  }

  findSoon() {
    clearTimeout(this.settling);
    this.settling = setTimeout(() => this.find(), SETTLE);
  }

  // The text nodes that people read, without those of charts: their words stand in titles and captions too.
  *texts(unread) {
    const main = document.querySelector("[data-testid=stMain]");
    if (!main) return;
    const walker = document.createTreeWalker(main, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      if (node.data.trim() && !node.parentElement.closest(unread)) yield node;
    }
  }

  find() {
    const plain = new Map(), interactive = new Map();
    for (const node of this.texts(UNREAD)) {
      for (const match of node.data.matchAll(this.pattern)) {
        const index = this.byForm.get(match[0].toLowerCase());
        if (plain.has(index)) continue;
        const isText = !node.parentElement.closest(INTERACTIVE);
        const into = isText ? plain : interactive;
        if (into.has(index) || !node.parentElement.checkVisibility()) continue;
        const range = document.createRange();
        range.setStart(node, match.index);
        range.setEnd(node, match.index + match[0].length);
        into.set(index, { index, range, isText });
      }
    }
    for (const index of plain.keys()) interactive.delete(index);
    this.found = [...plain.values(), ...interactive.values()];
    const underlined = [...plain.values()].map(({ range }) => range);
    if (CSS.highlights) CSS.highlights.set(NAME, new Highlight(...underlined));
  }

  // The term at a point of the screen.
  at(target, x, y) {
    if (!(target instanceof Element)) return undefined;
    return this.found.find(({ range }) => target.contains(range.startContainer) && !target.querySelector("[data-testid=stMain]")
      && [...range.getClientRects()].some((box) => x >= box.left && x <= box.right && y >= box.top && y <= box.bottom));
  }

  onMove(event) {
    if (event.pointerType !== "mouse" || event.buttons) return;
    const isOnTip = event.composedPath().includes(this.tip);
    const term = isOnTip ? this.shown : this.at(event.target, event.clientX, event.clientY);
    if (term === this.pointed) return;
    this.pointed = term;
    clearTimeout(this.waiting);
    const act = term ? () => this.show(term) : () => this.hide();
    this.waiting = setTimeout(act, term ? (this.shown ? 0 : REST) : LEAVE);
  }

  onClick(event) {
    if (event.composedPath().includes(this.tip)) return;
    const term = this.at(event.target, event.clientX, event.clientY);
    if (term?.isText) this.show(term);
    else this.hide();
  }

  onKey(event) {
    if (event.key !== "Escape" || !this.shown) return;
    event.stopPropagation(); // Else the same key leaves the presentation.
    this.hide();
  }

  show(term) {
    this.shown = term;
    this.tip.replaceChildren(...this.entry(term.index, "div", "div"));
    this.tip.showPopover();
    const [box] = term.range.getClientRects(), own = this.tip.getBoundingClientRect();
    if (!box) return this.hide();
    const left = Math.min(Math.max(box.left, 8), innerWidth - own.width - 8);
    const below = box.bottom + GAP + own.height <= innerHeight;
    Object.assign(this.tip.style, { left: `${left}px`, top: `${below ? box.bottom + GAP : Math.max(8, box.top - GAP - own.height)}px` });
  }

  hide() {
    clearTimeout(this.waiting);
    this.shown = this.pointed = undefined;
    if (this.tip.matches(":popover-open")) this.tip.hidePopover();
  }

  list() {
    const here = new Set();
    for (const node of this.texts("script, style")) {
      for (const match of node.data.matchAll(this.pattern)) here.add(this.byForm.get(match[0].toLowerCase()));
    }
    const all = this.data.terms.map((_, index) => index);
    const entries = (some) => some.flatMap((index) => this.entry(index, "dt", "dd"));
    const others = all.filter((index) => !here.has(index));
    this.here.replaceChildren(...entries(all.filter((index) => here.has(index))));
    this.others.replaceChildren(...entries(others));
    this.summary.textContent = `The other ${others.length} terms of the glossary`;
  }

  entry(index, title, text) {
    const { name, aside, definition } = this.data.terms[index];
    const head = document.createElement(title), body = document.createElement(text);
    const strong = document.createElement("strong");
    strong.textContent = name;
    head.append(strong);
    if (aside) {
      const more = document.createElement("span");
      more.className = "aside";
      more.textContent = ` (${aside})`;
      head.append(more);
    }
    body.textContent = definition;
    return [head, body];
  }
}

export default function ({ data, parentElement }) {
  if (!explainers.has(parentElement)) explainers.set(parentElement, new Explainer(parentElement));
  const explainer = explainers.get(parentElement);
  explainer.update(data);
  return () => {
    explainer.end();
    explainers.delete(parentElement);
  };
}
