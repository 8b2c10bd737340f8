// The playground: turns the pointer, keys and buttons into a request, fetches its frames and plays them.
// Every text of a result comes from the server as data and is written with textContent, never as HTML.

const FRAMES_PER_SECOND = 9, REACH = 0.06, SETTLE = 600;
const TOOLS = { lasso: "Lasso", click: "Single points", draw: "Draw" };
const HINTS = {
  lasso: "Circle the points to forget. Shift adds to the selection. Keys: arrows move the cross, Space takes what is in its circle.",
  click: "Press a point to forget it, and again to retain it. Keys: arrows move the cross, Space takes the nearest point.",
  draw: "Press or drag to draw points of the chosen class. The network learns them at once. Keys: arrows and Space.",
};
const LAYERS = { before: "boundary before", retrained: "boundary of the retrained model", made: "points that the method makes" };
const playgrounds = new WeakMap();

class Playground {
  constructor(root) {
    this.root = root.querySelector(".playground");
    this.one = (name) => this.root.querySelector(`[data-${name}]`);
    this.stage = this.root.querySelector(".stage");
    this.curve = this.root.querySelector(".curve");
    Object.assign(this, { painter: new Painter(), known: new Map(), data: {}, tool: "lasso", sent: 0, moment: 0 });
    Object.assign(this, { speed: 1, hidden: new Set(), cursor: null, label: 0 });
    this.ended = new AbortController();
    this.build();
    this.observer = new ResizeObserver(() => this.redrawSoon());
    this.observer.observe(this.root);
  }

  end() {
    this.ended.abort();
    this.loading?.abort();
    this.observer.disconnect();
    this.playing = false;
  }

  on(what, kind, act, options = {}) {
    what.addEventListener(kind, act, { signal: this.ended.signal, ...options });
  }

  build() {
    this.tools = Object.entries(TOOLS).map(([tool, words]) => {
      const button = this.button(words, () => this.useTool(tool));
      button.dataset.tool = tool;
      this.one("tools").append(button);
      return button;
    });
    for (const [layer, words] of Object.entries(LAYERS)) this.one("layers").append(this.layerSwitch(layer, words));
    this.maps = ["before", "unlearned", "retrained"].map((model) => {
      const figure = document.createElement("figure"), canvas = document.createElement("canvas");
      const words = document.createElement("figcaption");
      words.textContent = model;
      canvas.setAttribute("role", "img");
      canvas.setAttribute("aria-label", `Predicted classes of the ${model === "before" ? "original" : model} model`);
      figure.append(canvas, words);
      this.one("maps").append(figure);
      return canvas;
    });
    this.on(this.one("play"), "click", () => (this.playing ? this.pause() : this.play()));
    this.on(this.one("reset"), "click", () => this.goTo(0));
    this.on(this.one("step"), "click", () => this.goTo(Math.floor(this.moment) + 1));
    this.on(this.one("moment"), "input", () => this.goTo(Number(this.one("moment").value)));
    this.on(this.one("speed"), "change", () => this.changeView({ speed: Number(this.one("speed").value) }));
    this.on(this.one("undo"), "click", () => this.erase(1));
    this.on(this.one("clear"), "click", () => this.erase(Infinity));
    for (const kind of ["pointerdown", "pointermove", "pointerup", "pointercancel"])
      this.on(this.stage, kind, (event) => this.onPointer(event));
    this.on(this.stage, "keydown", (event) => this.onKey(event));
    this.on(this.stage, "blur", () => { this.cursor = null; this.redrawSoon(); });
    this.useTool("lasso");
  }

  button(words, act) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = words;
    this.on(button, "click", act);
    return button;
  }

  layerSwitch(layer, words) {
    const label = document.createElement("label"), input = document.createElement("input");
    input.type = "checkbox";
    input.checked = true;
    input.dataset.layer = layer;
    this.on(input, "change", () => {
      this.hidden[input.checked ? "delete" : "add"](layer);
      this.changeView({});
    });
    const sample = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    for (const [name, value] of Object.entries({ width: 28, height: 12, "aria-hidden": "true" })) sample.setAttribute(name, value);
    const shape = document.createElementNS("http://www.w3.org/2000/svg", "path");
    shape.setAttribute("d", layer === "made" ? "M14 1 L19 6 L14 11 L9 6 Z" : "M1 6 L27 6");
    shape.setAttribute("fill", "none");
    shape.dataset.sample = layer;
    sample.append(shape);
    label.append(input, sample, words);
    return label;
  }

  // --- what the page sends ---

  update(data, trigger) {
    const former = this.data;
    Object.assign(this, { data, trigger });
    if (data.revision >= this.sent) { // Else this answers an earlier choice than the one that was sent last.
      this.sent = data.revision;
      if (data.place !== this.place) this.points = new Points(data.points, data.drawn);
      this.place = data.place;
      this.points.forget(data.classes.length ? this.points.ofClasses(data.classes) : data.forgotten);
      this.classes = new Set(data.classes);
    }
    if (data.view !== former.view) this.takeView(JSON.parse(data.view));
    if (data.place !== former.place || !this.chips) this.buildChips();
    if (!data.urls.original && former.urls?.original !== null) this.useTool("draw");  // There is nothing to circle yet.
    this.showChips();
    this.stage.setAttribute("aria-label", data.label);
    if (data.trouble) this.say(data.trouble);
    if (data.request !== former.request) this.load();
    this.redrawSoon();
  }

  takeView({ speed, hidden }) {
    this.speed = speed;
    this.hidden = new Set(hidden);
    this.one("speed").value = String(speed);
    for (const input of this.root.querySelectorAll("[data-layer]")) input.checked = !this.hidden.has(input.dataset.layer);
  }

  changeView(changed) {
    Object.assign(this, changed);
    this.redrawSoon();
    this.trigger("view", { speed: this.speed, hidden: [...this.hidden] });
  }

  buildChips() {
    this.one("classes").replaceChildren();
    this.chips = this.data.names.map((name, label) => {
      const chip = this.button("", () => this.pressClass(label)), dot = document.createElement("span");
      chip.className = "chip";
      dot.className = "dot";
      dot.style.background = this.data.colors[label];
      chip.append(dot, name);
      this.one("classes").append(chip);
      return chip;
    });
    this.label = Math.min(this.label, this.chips.length - 1);
  }

  showChips() {
    const draws = this.tool === "draw";
    this.one("class-words").textContent = draws ? "Draw" : "Forget all of";
    this.chips.forEach((chip, label) => {
      chip.setAttribute("aria-pressed", String(draws ? this.label === label : this.classes.has(label)));
      chip.disabled = !draws && !this.points?.labels.includes(label);
    });
    this.one("drawing").hidden = !draws;
    this.one("undo").disabled = this.one("clear").disabled = !this.points?.drawn.length;
  }

  // --- the result ---

  async load() {
    this.loading?.abort();
    const loading = (this.loading = new AbortController()), { urls } = this.data;
    Object.assign(this, { run: null, retrained: null });
    this.showWords(urls.unlearned ? { title: "Forgetting …", sentence: "" } : { title: this.data.invitation, sentence: "" });
    try {
      this.original = urls.original ? await this.fetched(urls.original, loading) : null;
      if (loading.signal.aborted) return;
      if (!urls.unlearned) this.goTo(0);
      this.redrawSoon();
      if (!urls.unlearned) return;
      // The retrained model is asked for at once, so that it follows without a pause.
      const following = this.fetched(urls.retrained, loading);
      following.catch(() => {});
      this.run = await this.fetched(urls.unlearned, loading);
      if (loading.signal.aborted) return;
      this.start();
      this.retrained = await following;
      if (loading.signal.aborted) return;
      this.showWords(this.retrained.words);
      this.redrawSoon();
    } catch (problem) {
      if (loading.signal.aborted) return;
      this.showWords({ title: "No result", sentence: problem.sentence ?? "The server does not answer. Reload the page." });
      this.redrawSoon();
    }
  }

  // The frames at a URL; the server answers with 202 while others are ahead.
  async fetched(url, { signal }) {
    if (this.known.has(url)) return this.known.get(url);
    for (;;) {
      const answer = await fetch(url, { signal }), found = await answer.json();
      if (answer.status === 202) {
        if (!this.run) this.showWords({ title: "Forgetting …", sentence: found.waiting });
        continue;
      }
      if (found.error) throw Object.assign(new Error(found.error), { sentence: found.error });
      const frames = Object.assign(await Frames.from(found.frames), { words: found.words });
      this.known.set(url, frames);
      if (this.known.size > 40) this.known.delete(this.known.keys().next().value);
      return frames;
    }
  }

  start() {
    this.showWords(this.run.words);
    this.one("moment").max = String(this.run.count - 1);
    this.goTo(0);
    if (!matchMedia("(prefers-reduced-motion: reduce)").matches) this.play();
    else this.goTo(this.run.count - 1);
  }

  showWords({ title, sentence }) {
    this.one("title").textContent = title;
    this.one("sentence").textContent = sentence;
  }

  say(words) {
    this.one("hint").textContent = words;
  }

  // --- playing ---

  play() {
    if (!this.run) return;
    if (this.moment >= this.run.count - 1) this.moment = 0;
    this.playing = true;
    this.showPlayer();
    let before = null;
    const turn = (now) => {
      if (!this.playing || !this.run) return;
      if (!this.stage.isConnected) return this.pause();
      const seconds = before === null ? 0 : Math.min(0.1, (now - before) / 1000);
      before = now;
      this.moment = Math.min(this.run.count - 1, this.moment + seconds * FRAMES_PER_SECOND * this.speed);
      this.redraw();
      if (this.moment >= this.run.count - 1) this.pause();
      else requestAnimationFrame(turn);
    };
    requestAnimationFrame(turn);
  }

  pause() {
    this.playing = false;
    this.showPlayer();
    this.redrawSoon();
  }

  goTo(moment) {
    this.playing = false;
    this.moment = this.run ? Math.max(0, Math.min(this.run.count - 1, moment)) : 0;
    this.showPlayer();
    this.redrawSoon();
  }

  showPlayer() {
    const play = this.one("play");
    play.querySelector("path").setAttribute("d", this.playing ? "M3 2.5h3.5v11H3zM9.5 2.5H13v11H9.5z" : "M4 2.5v11L13.5 8z");
    play.setAttribute("aria-label", this.playing ? "Pause" : "Play");
    for (const name of ["play", "reset", "step", "moment"]) this.one(name).disabled = !this.run;
  }

  showMoment() {
    const { run, moment } = this;
    this.one("moment").value = String(moment);
    const frame = run ? Math.round(moment) : 0;
    const percent = (share) => (share === null ? "–" : `${Math.round(100 * share)} %`);
    const words = run
      ? `step ${run.steps[frame]} of ${run.steps[run.count - 1]} · ${run.phases[frame]} · forget ${percent(run.share("forget", moment))} · retain ${percent(run.share("retain", moment))}`
      : "";
    this.one("moment-words").textContent = words;
    this.one("moment").setAttribute("aria-valuetext", words);
  }

  // --- drawing ---

  redrawSoon() {
    this.frameRequest ??= requestAnimationFrame(() => this.redraw());
  }

  ink() {
    const style = getComputedStyle(this.root);
    const page = style.getPropertyValue("--st-background-color").trim();
    const dark = /^#/.test(page) && rgb(page).reduce((sum, one) => sum + one, 0) < 384;
    return { ...this.data.palettes[dark ? "dark" : "light"], font: style.fontFamily };
  }

  redraw() {
    if (this.frameRequest) cancelAnimationFrame(this.frameRequest);
    this.frameRequest = null;
    if (!this.points) return;
    const drawn = context(this.stage), ink = this.ink(), { colors } = this.data;
    if (!drawn) return;
    const { pen, width } = drawn, box = (this.box = { left: EDGE, top: EDGE, size: width - 2 * EDGE });
    const field = (this.field = this.run ? this.run.at(this.moment, this.buffer(this.run)) : this.original?.last());
    if (field) this.painter.field(pen, field, colors, box);
    this.painter.points(pen, this.points, box, { colors, ink, key: `${this.data.place} ${this.points.version} ${ink.page}` });
    if (this.run) this.drawLines(pen, box, ink);
    else if (field) this.painter.lines(pen, this.linesOf(this.original), box, { color: ink.ink, width: 2 });
    if (this.path) this.painter.lasso(pen, this.path, ink);
    if (this.cursor) this.painter.cross(pen, this.toPixels(this.cursor), this.tool === "lasso" ? REACH * box.size : 0, ink);
    this.painter.curve(this.curve, this.run, this.moment, this.retrained, ink);
    this.curve.setAttribute("aria-label", this.one("sentence").textContent || "No run yet");
    this.showMoment();
    const side = [this.data.request, this.run?.count, Boolean(this.retrained), Boolean(this.original), width, ink.page].join(" ");
    if (!this.playing || side !== this.side) this.drawSide(colors, ink);
    this.side = side;
  }

  buffer(run) {
    if (this.room?.length !== run.size) this.room = new Float32Array(run.size);
    return this.room;
  }

  drawLines(pen, box, ink) {
    if (!this.hidden.has("before") && this.original)
      this.painter.lines(pen, this.linesOf(this.original), box, { color: ink.before, width: 2, dash: [7, 5] });
    this.painter.lines(pen, boundaries(this.field), box, { color: ink.ink, width: 2.5 });
    if (!this.hidden.has("retrained") && this.retrained)
      this.painter.lines(pen, this.linesOf(this.retrained), box, { color: ink.gold, width: 3.5, dash: [1, 7] });
    const made = this.hidden.has("made") ? null : this.run.made.findLast(([frame]) => frame <= Math.round(this.moment));
    if (made && this.run.phases[Math.round(this.moment)] !== "repair") {
      made.places ??= Uint8Array.from(atob(made[2]), (one) => one.charCodeAt(0));
      this.painter.made(pen, made.places, box, ink);
    }
  }

  linesOf(frames) {
    frames.lines ??= boundaries(frames.last());
    return frames.lines;
  }

  drawSide(colors, ink) {
    const style = { color: ink.ink, width: 1.5 };
    [this.original, this.run, this.retrained].forEach((frames, at) => {
      this.painter.map(this.maps[at], frames?.last(), frames && this.linesOf(frames), colors, style);
    });
    const samples = { before: [ink.before, "7 5"], retrained: [ink.gold, "1 7"], made: [ink.ink, ""] };
    for (const shape of this.root.querySelectorAll("[data-sample]")) {
      const [color, dash] = samples[shape.dataset.sample];
      shape.setAttribute("stroke", color);
      shape.setAttribute("stroke-dasharray", dash);
      shape.setAttribute("stroke-width", shape.dataset.sample === "retrained" ? "3.5" : "2");
      shape.setAttribute("stroke-linecap", "round");
    }
    this.one("legend").textContent = this.run ? this.data.legend : "";
  }

  // --- choosing ---

  useTool(tool) {
    this.tool = tool;
    for (const button of this.tools) button.setAttribute("aria-pressed", String(button.dataset.tool === tool));
    this.say(HINTS[tool]);
    if (this.chips) this.showChips();
  }

  pressClass(label) {
    if (this.tool === "draw") {
      this.label = label;
      this.showChips();
      return;
    }
    const classes = new Set(this.classes);
    if (!classes.delete(label)) classes.add(label);
    if (this.points.labels.every((one) => classes.has(one))) {
      this.say("That would forget every class: at least one must be retained.");
      return;
    }
    this.classes = classes;
    this.points.forget(this.points.ofClasses([...classes]));
    this.send();
  }

  choose(points) {
    if (points.size === this.points.count) {
      this.say("That would forget every point: at least one must be retained.");
      return;
    }
    this.classes = new Set();
    this.points.forget(points);
    this.say(points.size ? `${points.size === 1 ? "1 point is" : `${points.size} points are`} to be forgotten.` : HINTS[this.tool]);
    this.send();
  }

  take(found, { adds = false, toggles = false } = {}) {
    if (!found.length) {
      this.say(toggles ? "There is no point here. Press on a point." : "There is no point in the lasso. The selection stays as it was.");
      return;
    }
    const points = adds || toggles ? new Set(this.points.forgotten) : new Set();
    for (const at of found) if (!(toggles && points.delete(at))) points.add(at);
    this.choose(points);
  }

  draw(x, y) {
    if (x < 0 || y < 0 || x > 1 || y > 1) return;
    if (this.points.drawn.length >= this.data.most) {
      this.say(`At most ${this.data.most} points can be drawn.`);
      return;
    }
    this.points.add(x, y, this.label);
    if (this.classes.size) this.points.forget(this.points.ofClasses([...this.classes]));
    this.showChips();
    this.redrawSoon();
    this.sendSoon();
  }

  erase(count) {
    this.points.remove(count);
    this.showChips();
    this.redrawSoon();
    this.sendSoon();
  }

  sendSoon() {
    clearTimeout(this.pending);
    this.pending = setTimeout(() => this.send(), SETTLE);
    this.sent += 1;  // An answer to anything earlier does not undo what is drawn now.
  }

  send() {
    clearTimeout(this.pending);
    this.sent += 1;
    this.showChips();
    this.redrawSoon();
    const points = this.classes.size ? "" : this.points.bits();
    this.trigger("choose", { revision: this.sent, classes: [...this.classes], points, drawn: this.points.drawnText() });
  }

  // --- pointer and keys ---

  toPixels([x, y]) {
    return [this.box.left + x * this.box.size, this.box.top + (1 - y) * this.box.size];
  }

  toPlace([x, y]) {
    return [(x - this.box.left) / this.box.size, 1 - (y - this.box.top) / this.box.size];
  }

  onPointer(event) {
    if (!this.points || !this.box || (event.type === "pointerdown" && event.button)) return;
    const area = this.stage.getBoundingClientRect(), at = [event.clientX - area.left, event.clientY - area.top];
    if (event.type === "pointerdown") {
      this.stage.setPointerCapture(event.pointerId);
      this.pressed = at;
      if (this.tool === "lasso") this.path = [at];
      if (this.tool === "draw") this.draw(...this.toPlace(at));
    } else if (event.type === "pointermove" && this.pressed) {
      if (this.path) this.path.push(at);
      else if (this.tool === "draw" && Math.hypot(at[0] - this.pressed[0], at[1] - this.pressed[1]) > 12) {
        this.pressed = at;
        this.draw(...this.toPlace(at));
      }
      this.redrawSoon();
    } else if (this.pressed && event.type !== "pointermove") {
      const path = this.path?.map((place) => this.toPlace(place));
      Object.assign(this, { path: null, pressed: null });
      this.redrawSoon();
      if (event.type === "pointercancel") return;
      if (this.tool === "lasso") this.take(this.points.inside(path), { adds: event.shiftKey });
      if (this.tool === "click") this.take(this.points.nearest(...this.toPlace(at), REACH / 2), { toggles: true });
    }
  }

  onKey(event) {
    const step = event.shiftKey ? 0.01 : 0.05, moves = {
      ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, step], ArrowDown: [0, -step],
    };
    if (!this.points) return;
    if (event.key in moves) {
      const [x, y] = this.cursor ?? [0.5, 0.5], [right, up] = moves[event.key];
      this.cursor = [Math.max(0, Math.min(1, x + right)), Math.max(0, Math.min(1, y + up))];
    } else if ((event.key === " " || event.key === "Enter") && this.cursor) {
      if (this.tool === "draw") this.draw(...this.cursor);
      else if (this.tool === "click") this.take(this.points.nearest(...this.cursor, REACH), { toggles: true });
      else this.take(this.points.near(...this.cursor, REACH), { adds: event.shiftKey });
    } else if (event.key === "Escape" && this.path) Object.assign(this, { path: null, pressed: null });
    else return;
    event.preventDefault();
    this.redrawSoon();
  }
}

export default function ({ parentElement, data, setTriggerValue }) {
  let playground = playgrounds.get(parentElement);
  if (!playground?.stage.isConnected) {
    playground = new Playground(parentElement);
    playgrounds.set(parentElement, playground);
  }
  playground.update(data, setTriggerValue);
  return () => playground.end();
}
