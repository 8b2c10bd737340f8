// The map of features: draws the same images on several maps, shows the one that is pointed at on all of them, and
// turns a loop around images, a click or keys into a selection.
// Every text comes from the server as data and is written with textContent or onto a canvas, never as HTML.

const NEAR = 14, LOOP = 6, TIP_GAP = 14;
const featureMaps = new WeakMap();

class FeatureMap {
  constructor(root) {
    for (const name of ["rows", "tip", "thumb", "texts", "status", "hint", "clear"]) this[name] = root.querySelector(`.${name}`);
    Object.assign(this, { root: root.querySelector(".feature-map"), panels: [], chosen: new Set(), hovered: null, sent: 0, data: {} });
    this.ended = new AbortController();
    this.clear.addEventListener("click", () => this.choose(new Set()), { signal: this.ended.signal });
    this.observer = new ResizeObserver(() => this.redraw());
  }

  end() {
    this.ended.abort();
    this.observer.disconnect();
  }

  update(data, trigger) {
    const isNew = data.url !== this.data.url, isChanged = data.drawing !== this.data.drawing;
    Object.assign(this, { data, trigger });
    if (isNew) this.sheets = new Sheets(data.url, () => this.showTip(), () => {});
    if (isNew || isChanged) this.build(JSON.parse(data.drawing));
    if (data.revision >= this.sent) { // Else this answers an earlier selection than the one that was sent last.
      this.sent = data.revision;
      this.chosen = new Set(parseRanges(data.selected));
    }
    this.hint.textContent = data.hint;
    this.redraw();
  }

  // --- the maps ---

  build({ rows, forget, colors }) {
    Object.assign(this, { forget, colors, panels: [], hovered: null });
    this.observer.disconnect();
    this.rows.replaceChildren(...rows.map((row) => this.makeRow(row)));
    for (const panel of this.panels) this.observer.observe(panel.canvas);
  }

  makeRow(row) {
    const made = document.createElement("div");
    made.className = "row";
    made.style.setProperty("--columns", row.panels.length);
    if (row.title) {
      const title = made.appendChild(document.createElement("p"));
      title.className = "title";
      title.textContent = row.title;
    }
    for (const panel of row.panels) made.append(this.makePanel(panel));
    return made;
  }

  makePanel({ title, label, height, points, names }) {
    const figure = document.createElement("figure"), canvas = document.createElement("canvas");
    figure.className = "panel";
    figure.appendChild(document.createElement("figcaption")).textContent = title;
    figure.append(canvas);
    const panel = { canvas, height, points, names, loop: null };
    canvas.style.aspectRatio = 1 / height;
    canvas.tabIndex = 0;
    canvas.setAttribute("role", "application");
    canvas.setAttribute("aria-label", label);
    canvas.setAttribute("aria-describedby", "hint");
    const on = (kind, act) => canvas.addEventListener(kind, act);
    on("pointerdown", (event) => this.onDown(panel, event));
    on("pointermove", (event) => this.onMove(panel, event));
    on("pointerup", (event) => this.onUp(panel, event));
    on("pointercancel", () => this.endLoop(panel));
    on("pointerleave", () => panel.loop || this.point(null, panel));
    on("keydown", (event) => this.onKey(panel, event));
    on("blur", () => this.point(null, panel));
    this.panels.push(panel);
    return figure;
  }

  redraw() {
    this.request ??= requestAnimationFrame(() => {
      this.request = null;
      for (const panel of this.panels) this.draw(panel);
      this.say();
    });
  }

  draw(panel) {
    const { canvas } = panel, side = canvas.clientWidth, ratio = devicePixelRatio || 1;
    if (!side) return;
    const pixels = Math.round(side * ratio);
    if (canvas.width !== pixels) [canvas.width, canvas.height] = [pixels, Math.round(pixels * panel.height)];
    const ink = canvas.getContext("2d");
    ink.setTransform(ratio, 0, 0, ratio, 0, 0);
    ink.clearRect(0, 0, side, side * panel.height);
    const all = this.chosen.size === 0;
    for (let index = panel.points.length - 1; index >= 0; index--) {
      const [x, y] = this.at(panel, index);
      ink.globalAlpha = all || this.chosen.has(index) ? 1 : 0.16;
      if (index < this.forget) this.cross(ink, x, y);
      else this.dot(ink, x, y);
    }
    ink.globalAlpha = 1;
    for (const name of panel.names) this.name(ink, name, side, side * panel.height);
    if (panel.loop?.length > 1) this.drawLoop(ink, panel.loop);
    if (this.hovered !== null) this.ring(ink, ...this.at(panel, this.hovered));
  }

  dot(ink, x, y) {
    ink.fillStyle = this.colors.retain;
    ink.beginPath();
    ink.arc(x, y, 2.6, 0, 2 * Math.PI);
    ink.fill();
  }

  cross(ink, x, y) {
    ink.strokeStyle = this.colors.forget;
    ink.lineWidth = 2;
    ink.beginPath();
    for (const way of [1, -1]) {
      ink.moveTo(x - 3.2, y - 3.2 * way);
      ink.lineTo(x + 3.2, y + 3.2 * way);
    }
    ink.stroke();
  }

  ring(ink, x, y) {
    for (const [width, color] of [[5, this.colors.page], [2.2, this.colors.ink]]) {
      ink.strokeStyle = color;
      ink.lineWidth = width;
      ink.beginPath();
      ink.arc(x, y, 8, 0, 2 * Math.PI);
      ink.stroke();
    }
  }

  name(ink, { text, x, y, strong }, width, height) {
    ink.font = `${strong ? "600 " : ""}12px ${getComputedStyle(this.root).fontFamily}`;
    ink.textAlign = "center";
    ink.textBaseline = "middle";
    const half = ink.measureText(text).width / 2 + 3;
    const at = [Math.min(width - half, Math.max(half, x * width)), Math.min(height - 10, Math.max(10, height - y * width))];
    ink.globalAlpha = 0.8;
    ink.fillStyle = this.colors.page;
    ink.fillRect(at[0] - half, at[1] - 8, 2 * half, 16);
    ink.globalAlpha = 1;
    ink.fillStyle = strong ? this.colors.forget : this.colors.ink;
    ink.fillText(text, ...at);
  }

  drawLoop(ink, loop) {
    ink.strokeStyle = this.colors.ink;
    ink.lineWidth = 1.5;
    ink.setLineDash([4, 3]);
    ink.beginPath();
    for (const [x, y] of loop) ink.lineTo(x, y);
    ink.closePath();
    ink.stroke();
    ink.setLineDash([]);
  }

  // Where an image lies on a map, in pixels from its upper left corner.
  at(panel, index) {
    const [x, y] = panel.points[index], side = panel.canvas.clientWidth;
    return [x * side, (panel.height - y) * side];
  }

  // --- pointing and selecting ---

  placeOf(panel, event) {
    const box = panel.canvas.getBoundingClientRect();
    return [event.clientX - box.left - 1, event.clientY - box.top - 1];
  }

  nearest(panel, [x, y]) {
    let found = null, least = NEAR;
    for (let index = 0; index < panel.points.length; index++) {
      const [left, top] = this.at(panel, index), distance = Math.hypot(left - x, top - y);
      if (distance < least) [found, least] = [index, distance];
    }
    return found;
  }

  onDown(panel, event) {
    if (event.button) return;
    panel.loop = [this.placeOf(panel, event)];
    panel.canvas.setPointerCapture(event.pointerId);
  }

  onMove(panel, event) {
    const place = this.placeOf(panel, event);
    if (!panel.loop) return this.point(this.nearest(panel, place), panel);
    panel.loop.push(place);
    this.point(null, panel);
    this.redraw();
  }

  onUp(panel, event) {
    const loop = panel.loop ?? [], place = this.placeOf(panel, event);
    this.endLoop(panel);
    const isClick = loop.every(([x, y]) => Math.hypot(x - place[0], y - place[1]) < LOOP);
    const found = new Set(event.shiftKey ? this.chosen : []);
    if (isClick) {
      const index = this.nearest(panel, place);
      if (index !== null) found.add(index);
    } else {
      for (let index = 0; index < panel.points.length; index++)
        if (isInside(this.at(panel, index), loop)) found.add(index);
    }
    this.choose(found);
  }

  endLoop(panel) {
    panel.loop = null;
    this.redraw();
  }

  onKey(panel, event) {
    const last = panel.points.length - 1, now = this.hovered ?? -1;
    const moves = { ArrowRight: now + 1, ArrowDown: now + 1, ArrowLeft: now - 1, ArrowUp: now - 1, Home: 0, End: last };
    if (event.key in moves) this.point(Math.max(0, Math.min(last, moves[event.key])), panel);
    else if ((event.key === "Enter" || event.key === " ") && this.hovered !== null) {
      const found = new Set(this.chosen);
      if (!found.delete(this.hovered)) found.add(this.hovered);
      this.choose(found);
    } else if (event.key === "Escape") this.choose(new Set());
    else return;
    event.preventDefault();
  }

  choose(found) {
    this.chosen = found;
    this.sent += 1;
    this.redraw();
    const numbers = [...found].sort((one, other) => one - other);
    this.trigger("pick", { revision: this.sent, images: formatRanges(numbers) });
  }

  // --- the image that is pointed at ---

  point(index, panel) {
    if (this.hovered === index) return;
    Object.assign(this, { hovered: index, hoveredOn: panel });
    if (index !== null) this.sheets.want(index, index);
    this.showTip();
    this.redraw();
  }

  showTip() {
    const item = this.hovered === null ? null : this.sheets.at(this.hovered);
    this.tip.hidden = !item;
    if (!item) return;
    this.texts.replaceChildren(...item.lines.map((line) => {
      const made = document.createElement("span");
      made.textContent = line;
      return made;
    }));
    Object.assign(this.thumb.style, {
      backgroundImage: `url("${item.url}")`, backgroundSize: `${SHEET_COLUMNS * 56}px auto`,
      backgroundPosition: `${-item.column * 56}px ${-item.row * 56}px`,
    });
    const whole = this.root.getBoundingClientRect(), map = this.hoveredOn.canvas.getBoundingClientRect();
    const [x, y] = this.at(this.hoveredOn, this.hovered);
    const left = map.left - whole.left + x + TIP_GAP, top = map.top - whole.top + y + TIP_GAP;
    const fits = left + this.tip.offsetWidth <= whole.width;
    const moved = Math.max(0, fits ? left : left - this.tip.offsetWidth - 2 * TIP_GAP);
    this.tip.style.transform = `translate(${moved}px, ${top}px)`;
    this.say();
  }

  say() {
    const count = this.chosen.size, { total, noun } = this.data;
    const item = this.hovered === null ? null : this.sheets.at(this.hovered);
    const words = count ? `${count} of ${total} ${noun}s selected` : `${total} ${noun}s`;
    const text = item && document.activeElement === this.hoveredOn?.canvas ? `${words}: ${item.label}` : words;
    if (this.status.textContent !== text) this.status.textContent = text;
    this.clear.hidden = !count;
  }
}

// Whether a place lies inside a loop: a ray from it crosses the loop an odd number of times.
function isInside([x, y], loop) {
  let inside = false;
  for (let at = 0, before = loop.length - 1; at < loop.length; before = at++) {
    const [left, top] = loop[at], [right, bottom] = loop[before];
    if (top > y !== bottom > y && x < left + ((right - left) * (y - top)) / (bottom - top)) inside = !inside;
  }
  return inside;
}

export default function ({ parentElement, data, setTriggerValue }) {
  let map = featureMaps.get(parentElement);
  if (!map?.root.isConnected) {
    map = new FeatureMap(parentElement);
    featureMaps.set(parentElement, map);
  }
  map.update(data, setTriggerValue);
  return () => map.end();
}
