// The points of the plane, which of them are forgotten, and what was drawn; and their short forms in the URL.

function toText(bytes) {
  return btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

class Points {
  // `packed` is base64 of x, y and class of every point, one after the other; the last `drawn` were drawn by hand.
  constructor(packed, drawn) {
    const bytes = Uint8Array.from(atob(packed), (one) => one.charCodeAt(0));
    this.all = Array.from({ length: bytes.length / 3 }, (_, at) => [...bytes.slice(3 * at, 3 * at + 3)]);
    this.fixed = this.all.length - drawn;
    this.forgotten = new Set();
    this.arrange();
  }

  arrange() {
    this.count = this.all.length;
    this.x = this.all.map(([x]) => x / 255);
    this.y = this.all.map(([, y]) => y / 255);
    this.labels = this.all.map(([, , label]) => label);
    this.version = (this.version ?? 0) + 1;
  }

  get drawn() {
    return this.all.slice(this.fixed);
  }

  add(x, y, label) {
    this.all.push([Math.round(255 * x), Math.round(255 * y), label]);
    this.arrange();
  }

  remove(count) {
    this.all.length = Math.max(this.fixed, this.all.length - count);
    for (const one of [...this.forgotten]) if (one >= this.all.length) this.forgotten.delete(one);
    this.arrange();
  }

  forget(chosen) {
    this.forgotten = new Set(chosen);
    this.version += 1;
  }

  ofClasses(classes) {
    return this.labels.flatMap((label, at) => (classes.includes(label) ? [at] : []));
  }

  inside(path) {
    return this.labels.flatMap((_, at) => (contains(path, this.x[at], this.y[at]) ? [at] : []));
  }

  near(x, y, radius) {
    return this.labels.flatMap((_, at) => (Math.hypot(this.x[at] - x, this.y[at] - y) <= radius ? [at] : []));
  }

  nearest(x, y, radius) {
    const distance = (at) => Math.hypot(this.x[at] - x, this.y[at] - y);
    return this.near(x, y, radius).sort((one, other) => distance(one) - distance(other)).slice(0, 1);
  }

  bits() {
    const bytes = new Uint8Array(Math.ceil((Math.max(-1, ...this.forgotten) + 1) / 8));
    for (const at of this.forgotten) bytes[at >> 3] |= 1 << (at & 7);
    return toText(bytes);
  }

  drawnText() {
    return toText(this.drawn.flat());
  }
}

// Whether a place lies inside a closed path, by the number of its edges to the right.
function contains(path, x, y) {
  let inside = false;
  for (let at = 0, before = path.length - 1; at < path.length; before = at++) {
    const [u, v] = path[at], [w, z] = path[before];
    if (v > y !== z > y && x < ((w - u) * (y - v)) / (z - v) + u) inside = !inside;
  }
  return inside;
}
