// Fields of log-probabilities over the plane: decoding, interpolation in time, colours, and decision boundaries.

const GRID = 40, FLOOR = 8, LEVELS = 64, PIXELS = 160;
const CELLS = GRID * GRID;

// What the server sends as base64 of packed bytes, see BoundaryFrames.
async function unpack(text) {
  const packed = Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

class Frames {
  static async from(found) {
    const frames = new Frames();
    Object.assign(frames, found, { count: found.steps.length });
    frames.levels = await unpack(found.fields);
    const size = found.classes * CELLS, levels = frames.levels;
    for (let at = 0; at < size; at++) if (at % GRID) levels[at] += levels[at - 1];
    for (let at = size; at < levels.length; at++) levels[at] += levels[at - size];
    frames.size = size;
    return frames;
  }

  // The field at a moment, a number of frames that need not be whole, as levels from 0 to LEVELS - 1.
  at(moment, into) {
    const first = Math.min(Math.floor(moment), this.count - 1), next = Math.min(first + 1, this.count - 1);
    const share = moment - first, { levels, size } = this, field = into ?? new Float32Array(size);
    for (let at = 0; at < size; at++) {
      const from = levels[first * size + at];
      field[at] = from + (levels[next * size + at] - from) * share;
    }
    return field;
  }

  // A share (0 to 1) of one side that is predicted correctly at a moment; null if that side has no points.
  share(side, moment) {
    const all = this[`${side}_points`], frame = Math.min(Math.round(moment), this.count - 1);
    return all ? this[side][frame] / all : null;
  }

  last() {
    this.end ??= this.at(this.count - 1);
    return this.end;
  }
}

// Where each pixel of the map lies between grid points, which are the centres of cells.
const PLACES = Array.from({ length: PIXELS }, (_, pixel) => {
  const place = Math.max(0, Math.min(GRID - 1, ((pixel + 0.5) / PIXELS) * GRID - 0.5));
  const low = Math.min(Math.floor(place), GRID - 2);
  return [low, place - low];
});
const FINE = 4;  // Steps of a confidence within a level, so that colours change smoothly.
const CONFIDENCE = Float32Array.from({ length: FINE * LEVELS }, (_, at) => Math.exp((at / FINE / (LEVELS - 1) - 1) * FLOOR));

// Paint the predicted class of each pixel, the stronger the more confident, into image data of PIXELS x PIXELS.
function paint(field, colors, image) {
  const classes = field.length / CELLS, pixels = image.data;
  for (let row = 0; row < PIXELS; row++) {
    const [low, up] = PLACES[PIXELS - 1 - row];
    for (let column = 0; column < PIXELS; column++) {
      const [left, right] = PLACES[column], corner = low * GRID + left;
      let best = -1, own = 0;
      for (let label = 0; label < classes; label++) {
        const at = label * CELLS + corner;
        const below = field[at] + (field[at + 1] - field[at]) * right;
        const above = field[at + GRID] + (field[at + GRID + 1] - field[at + GRID]) * right;
        const level = below + (above - below) * up;
        if (level > best) { best = level; own = label; }
      }
      const at = 4 * (row * PIXELS + column), color = colors[own];
      pixels[at] = color[0];
      pixels[at + 1] = color[1];
      pixels[at + 2] = color[2];
      pixels[at + 3] = 20 + 115 * Math.max(0, (CONFIDENCE[Math.round(FINE * best)] - 1 / classes) / (1 - 1 / classes));
    }
  }
}

// The lines between classes, as lists of places in the unit square. A line crosses an edge of the grid where the two
// classes of its ends are equally probable; in a cell with three classes, the crossings meet in its middle.
function boundaries(field) {
  const classes = field.length / CELLS, top = new Uint8Array(CELLS), links = new Map(), places = new Map();
  for (let cell = 0; cell < CELLS; cell++)
    for (let label = 1; label < classes; label++)
      if (field[label * CELLS + cell] > field[top[cell] * CELLS + cell]) top[cell] = label;
  const cross = (from, to) => {
    const key = Math.min(from, to) * CELLS + Math.max(from, to);
    if (places.has(key)) return key;
    const [own, other] = [top[from] * CELLS, top[to] * CELLS];
    const a = field[own + from] - field[other + from], b = field[other + to] - field[own + to];
    const share = a + b > 0 ? a / (a + b) : 0.5;
    const [x, y] = [from % GRID, Math.floor(from / GRID)], [u, v] = [to % GRID, Math.floor(to / GRID)];
    places.set(key, [(x + (u - x) * share + 0.5) / GRID, (y + (v - y) * share + 0.5) / GRID]);
    return key;
  };
  const link = (from, to) => {
    for (const [one, other] of [[from, to], [to, from]]) {
      if (!links.has(one)) links.set(one, []);
      links.get(one).push(other);
    }
  };
  for (let row = 0; row < GRID - 1; row++)
    for (let column = 0; column < GRID - 1; column++) {
      const a = row * GRID + column, b = a + 1, c = a + GRID + 1, d = a + GRID;
      if (top[a] === top[b] && top[b] === top[c] && top[c] === top[d]) continue;
      const ends = [];
      for (const [from, to] of [[a, b], [b, c], [c, d], [d, a]]) if (top[from] !== top[to]) ends.push(cross(from, to));
      if (new Set([top[a], top[b], top[c], top[d]]).size === 2)
        for (let at = 0; at < ends.length; at += 2) link(ends[at], ends[at + 1]);
      else {
        const middle = -1 - a, sum = (axis) => ends.reduce((total, end) => total + places.get(end)[axis], 0) / ends.length;
        places.set(middle, [sum(0), sum(1)]);
        for (const end of ends) link(end, middle);
      }
    }
  return chains(links, places);
}

// Join segments that meet into lines, so that dashes run on.
function chains(links, places) {
  const lines = [], left = new Map([...links].map(([key, ends]) => [key, [...ends]]));
  const starts = [...left.keys()].sort((one, other) => left.get(one).length - left.get(other).length);
  for (const start of starts)
    while (left.get(start).length) {
      const line = [places.get(start)];
      let from = start;
      while (left.get(from).length) {
        const to = left.get(from).pop(), back = left.get(to);
        back.splice(back.indexOf(from), 1);
        line.push(places.get(to));
        from = to;
      }
      lines.push(line);
    }
  return lines;
}
