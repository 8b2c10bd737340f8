// The gallery: draws the images in sight, and turns clicks, drags and keys into a selection.
// Every text comes from the server as data and is written with textContent, never as HTML.

const MIN_TILE = 84, GAP = 4, INSET = 4, LINE = 17, SETTLE = 250, DRAG = 6;
const galleries = new WeakMap();

class Gallery {
  constructor(root) {
    for (const name of ["view", "canvas", "frame", "status", "hint"]) this[name] = root.querySelector(`.${name}`);
    Object.assign(this, { selection: new Selection(), cells: new Map(), spare: [], active: 0, sent: 0, data: {} });
    this.ended = new AbortController();
    const { signal } = this.ended;
    const on = (what, kind, act, options = {}) => what.addEventListener(kind, act, { signal, ...options });
    on(this.view, "scroll", () => this.redrawSoon(), { passive: true });
    on(this.view, "keydown", (event) => this.onKey(event));
    on(this.view, "click", (event) => this.onClick(event));
    on(this.view, "pointerdown", (event) => this.onDown(event));
    on(this.view, "pointermove", (event) => this.onMove(event));
    on(this.view, "pointerup", (event) => this.onUp(event));
    on(this.view, "pointercancel", () => this.endDrag());
    on(this.view, "focusout", () => this.send());
    // What was selected a moment ago is sent before a button elsewhere acts on it.
    on(document, "pointerdown", (event) => event.composedPath().includes(this.view) || this.send(), { capture: true });
    this.observer = new ResizeObserver(() => this.layOut());
    this.observer.observe(this.view);
  }

  end() {
    this.send();
    this.ended.abort();
    this.observer.disconnect();
  }

  update(data, trigger) {
    const isNew = data.url !== this.data.url;
    Object.assign(this, { data, trigger });
    this.view.style.maxHeight = `${data.height}px`;
    this.view.setAttribute("aria-label", data.label);
    this.view.setAttribute("aria-multiselectable", String(data.multiple));
    this.hint.textContent = data.hint;
    if (data.revision >= this.sent) { // Else this answers an earlier selection than the one that was sent last.
      this.sent = data.revision;
      if (!this.pending) this.selection.fromText(data.selected);
    }
    if (isNew) this.open(data.url);
    this.layOut();
    if (isNew) {
      this.active = Math.min(data.start, data.count - 1);
      this.view.scrollTop = Math.floor(this.active / this.columns) * this.rowHeight;
    }
    this.say();
  }

  open(url) {
    const isCurrent = () => this.data.url === url;
    const fail = () => { if (isCurrent()) this.status.textContent = "The images could not be loaded. Reload the page."; };
    this.sheets = new Sheets(url, () => isCurrent() && this.redraw(), fail);
    this.selection.images = new Uint32Array();
    this.selection.anchor = 0;
    this.clear();
    this.sheets.images().then((images) => {
      if (!isCurrent()) return;
      this.selection.images = images;
      this.redraw();
    }, fail);
  }

  // --- drawing ---

  layOut() {
    const width = this.view.clientWidth - 16, count = this.data.count;
    if (width <= 0 || !this.sheets) return;
    const first = Math.floor(this.view.scrollTop / (this.rowHeight || 1)) * (this.columns || 1);
    this.columns = Math.max(1, Math.floor((width + GAP) / (MIN_TILE + 2 * INSET + GAP)));
    this.cellWidth = Math.floor((width - GAP * (this.columns - 1)) / this.columns);
    this.tile = this.cellWidth - 2 * INSET;
    this.rowHeight = this.tile + this.data.lines * LINE + 2 * INSET + GAP;
    this.canvas.style.height = `${Math.ceil(count / this.columns) * this.rowHeight}px`;
    const key = `${this.columns} ${this.cellWidth} ${this.rowHeight}`;
    if (key !== this.laidOut) {
      this.laidOut = key;
      this.clear();
      this.view.scrollTop = Math.floor(first / this.columns) * this.rowHeight;
    }
    this.redraw();
  }

  clear() {
    for (const cell of this.cells.values()) cell.remove();
    this.cells.clear();
  }

  redrawSoon() {
    this.frameRequest ??= requestAnimationFrame(() => this.redraw());
  }

  redraw() {
    this.frameRequest = null;
    if (!this.rowHeight) return;
    const { scrollTop, clientHeight } = this.view;
    const first = Math.max(0, Math.floor(scrollTop / this.rowHeight) - 1) * this.columns;
    const last = Math.min(this.data.count, (Math.ceil((scrollTop + clientHeight) / this.rowHeight) + 1) * this.columns);
    for (const [index, cell] of this.cells)
      if (index < first || index >= last) {
        this.cells.delete(index);
        this.spare.push(cell);
      }
    let before = null;
    for (let index = first; index < last; index++) before = this.draw(index, before);
    for (const cell of this.spare.splice(0)) cell.remove();
    if (last > first) this.sheets.want(first, last - 1);
    this.markActive();
  }

  // Draw an item behind the one `before` it: screen readers read the items in the order of the document.
  draw(index, before) {
    let cell = this.cells.get(index);
    if (!cell) {
      cell = this.spare.pop() ?? this.makeCell();
      this.cells.set(index, cell);
      const column = index % this.columns, row = Math.floor(index / this.columns);
      cell.id = `item-${index}`;
      cell.style.transform = `translate(${column * (this.cellWidth + GAP)}px, ${row * this.rowHeight}px)`;
      cell.style.width = `${this.cellWidth}px`;
      cell.style.height = `${this.rowHeight - GAP}px`;
      cell.setAttribute("aria-posinset", index + 1);
      cell.setAttribute("aria-setsize", this.data.count);
      cell.filled = null;  // Filled with neither an item nor "loading" yet.
    }
    const item = this.sheets.at(index);
    if (cell.filled !== item?.label) this.fill(cell, item);
    const selected = String(this.isMarked(index));
    if (cell.getAttribute("aria-selected") !== selected) cell.setAttribute("aria-selected", selected);
    const next = before ? before.nextSibling : this.canvas.firstChild;
    if (next !== cell) this.canvas.insertBefore(cell, next);
    return cell;
  }

  makeCell() {
    const cell = document.createElement("div");
    cell.className = "cell";
    cell.setAttribute("role", "option");
    const picture = document.createElement("div");
    picture.className = "picture";
    cell.append(picture);
    return cell;
  }

  fill(cell, item) {
    const picture = cell.firstChild, style = picture.style;
    cell.filled = item?.label;
    cell.setAttribute("aria-label", item ? item.label : `${this.data.noun} that is loading`);
    cell.title = item ? item.label : "";
    style.width = style.height = `${this.tile}px`;
    style.backgroundSize = `${SHEET_COLUMNS * this.tile}px auto`;
    style.backgroundImage = item ? `url("${item.url}")` : "none";
    if (item) style.backgroundPosition = `${-item.column * this.tile}px ${-item.row * this.tile}px`;
    for (let at = 0; at < this.data.lines; at++) {
      const line = cell.children[at + 1] ?? cell.appendChild(document.createElement("span"));
      line.className = "line";
      line.textContent = `${item?.lines[at] ?? ""} `; // The space parts the lines for screen readers.
    }
    while (cell.children.length > this.data.lines + 1) cell.lastChild.remove();
  }

  // --- selecting ---

  isMarked(index) {
    return this.drag?.marked?.has(index) ? !this.drag.removes : this.selection.has(index);
  }

  indexAt(event) {
    const box = this.canvas.getBoundingClientRect();
    const column = Math.floor((event.clientX - box.left) / (this.cellWidth + GAP));
    const index = Math.floor((event.clientY - box.top) / this.rowHeight) * this.columns + column;
    return column >= 0 && column < this.columns && index >= 0 && index < this.data.count ? index : -1;
  }

  onClick(event) {
    const index = this.indexAt(event);
    if (this.dragged || index < 0) return;
    this.active = index;
    this.choose(index, event.shiftKey);
  }

  choose(index, extends_) {
    if (!this.selection.images.length) return;
    if (!this.data.multiple) this.selection.only(index);
    else if (extends_) this.selection.extend(index);
    else this.selection.toggle(index);
    this.changed();
  }

  onDown(event) {
    this.dragged = false;
    const box = this.canvas.getBoundingClientRect();
    // A finger scrolls; only a mouse or a pen draws a rectangle. At the right is the scroll bar.
    if (event.button || event.pointerType === "touch" || !this.data.multiple || event.clientX > box.right) return;
    this.drag = { x: event.clientX - box.left, y: event.clientY - box.top, removes: event.altKey || event.ctrlKey };
  }

  onMove(event) {
    const drag = this.drag;
    if (!drag) return;
    drag.pointer = { x: event.clientX, y: event.clientY };
    const box = this.canvas.getBoundingClientRect();
    if (!drag.marked && Math.hypot(event.clientX - box.left - drag.x, event.clientY - box.top - drag.y) < DRAG) return;
    if (!drag.marked) {
      drag.marked = new Set();
      this.dragged = true;
      this.view.setPointerCapture(event.pointerId);
      this.frame.hidden = false;
      this.stretch();
    }
  }

  // Once a frame while a rectangle is drawn: follow the pointer, and scroll where it leaves the view.
  stretch() {
    const drag = this.drag;
    if (!drag?.marked) return;
    const view = this.view.getBoundingClientRect(), { x, y } = drag.pointer;
    if (y < view.top + 20) this.view.scrollTop -= 16;
    if (y > view.bottom - 20) this.view.scrollTop += 16;
    const box = this.canvas.getBoundingClientRect();
    const clamp = (value, most) => Math.max(0, Math.min(most, value));
    const end = { x: clamp(x - box.left, box.width), y: clamp(y - box.top, box.height) };
    const [left, right] = [Math.min(drag.x, end.x), Math.max(drag.x, end.x)];
    const [top, bottom] = [Math.min(drag.y, end.y), Math.max(drag.y, end.y)];
    Object.assign(this.frame.style, {
      width: `${right - left}px`, height: `${bottom - top}px`,
      transform: `translate(${left + 8}px, ${top + 8}px)`,
    });
    drag.marked.clear();
    const columns = [Math.floor(left / (this.cellWidth + GAP)), Math.floor(right / (this.cellWidth + GAP))];
    for (let row = Math.floor(top / this.rowHeight); row <= Math.floor(bottom / this.rowHeight); row++)
      for (let column = columns[0]; column <= Math.min(columns[1], this.columns - 1); column++) {
        const index = row * this.columns + column;
        if (index < this.data.count) drag.marked.add(index);
      }
    this.redraw();
    requestAnimationFrame(() => this.stretch());
  }

  onUp() {
    const { marked, removes } = this.drag ?? {};
    if (marked && this.selection.images.length) {
      for (const index of marked) {
        const image = this.selection.images[index];
        if (removes) this.selection.chosen.delete(image);
        else this.selection.chosen.add(image);
      }
      this.changed();
    }
    this.endDrag();
  }

  endDrag() {
    this.drag = null;
    this.frame.hidden = true;
    this.redraw();
  }

  onKey(event) {
    const page = Math.max(1, Math.floor(this.view.clientHeight / this.rowHeight)) * this.columns, last = this.data.count - 1;
    const moves = {
      ArrowLeft: this.active - 1, ArrowRight: this.active + 1,
      ArrowUp: this.active - this.columns, ArrowDown: this.active + this.columns,
      PageUp: Math.max(0, this.active - page), PageDown: Math.min(last, this.active + page), Home: 0, End: last,
    };
    if (event.key in moves) {
      const to = moves[event.key];
      if (to >= 0 && to <= last) this.goTo(to, event.shiftKey);
    } else if (event.key === " " || event.key === "Enter") this.choose(this.active, event.shiftKey);
    else if (event.key.toLowerCase() === "a" && (event.ctrlKey || event.metaKey) && this.data.multiple) {
      this.selection.all();
      this.changed();
    } else if (event.key === "Escape" && this.drag) this.endDrag();
    else return;
    event.preventDefault();
  }

  goTo(index, extends_) {
    const from = this.active;
    this.active = index;
    const top = Math.floor(index / this.columns) * this.rowHeight, { scrollTop, clientHeight } = this.view;
    if (top < scrollTop) this.view.scrollTop = top;
    else if (top + this.rowHeight + 8 > scrollTop + clientHeight) this.view.scrollTop = top + this.rowHeight + 8 - clientHeight;
    this.redraw();
    if (!extends_ || !this.data.multiple) return;
    this.selection.extend(index, from);
    this.changed();
  }

  markActive() {
    const active = this.cells.get(this.active);
    for (const cell of this.cells.values()) cell.classList.toggle("active", cell === active);
    if (active) this.view.setAttribute("aria-activedescendant", active.id);
    else this.view.removeAttribute("aria-activedescendant");
  }

  // --- telling the server ---

  changed() {
    this.redraw();
    this.say();
    clearTimeout(this.pending);
    this.pending = setTimeout(() => this.send(), this.data.multiple ? SETTLE : 0);
  }

  send() {
    if (!this.pending) return;
    clearTimeout(this.pending);
    this.pending = null;
    this.sent += 1;
    this.trigger("pick", { revision: this.sent, images: this.selection.toText() });
  }

  say() {
    const count = this.selection.chosen.size.toLocaleString("en"), all = this.data.count.toLocaleString("en");
    const noun = this.data.count === 1 ? this.data.noun : `${this.data.noun}s`;
    const listed = `${all} ${noun} listed`;
    this.status.textContent = this.data.multiple ? `${count} selected · ${listed}` : listed;
  }
}

export default function ({ parentElement, data, setTriggerValue }) {
  let gallery = galleries.get(parentElement);
  if (!gallery?.view.isConnected) {
    gallery = new Gallery(parentElement);
    galleries.set(parentElement, gallery);
  }
  gallery.update(data, setTriggerValue);
  return () => gallery.end();
}
