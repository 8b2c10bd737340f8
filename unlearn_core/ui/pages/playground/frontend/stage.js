// Drawing: the large map with points, lines and the lasso, the small maps of the three models, and the curve.

const EDGE = 10;  // Pixels around the unit square on the large map.

function rgb(color) {
  return [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));
}

// A canvas in the resolution of the screen; null while it has no size.
function context(canvas) {
  const ratio = window.devicePixelRatio || 1, { clientWidth: width, clientHeight: height } = canvas;
  if (!width || !height) return null;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  return { pen, width, height };
}

class Painter {
  constructor() {
    this.small = document.createElement("canvas");
    this.small.width = this.small.height = PIXELS;
    this.smallPen = this.small.getContext("2d");
    this.image = this.smallPen.createImageData(PIXELS, PIXELS);
    this.layer = document.createElement("canvas");
  }

  field(pen, field, colors, box) {
    paint(field, colors.map(rgb), this.image);
    this.smallPen.putImageData(this.image, 0, 0);
    pen.imageSmoothingEnabled = true;
    pen.drawImage(this.small, box.left, box.top, box.size, box.size);
  }

  lines(pen, lines, box, { color, width, dash = [] }) {
    pen.strokeStyle = color;
    pen.lineWidth = width;
    pen.lineJoin = pen.lineCap = "round";
    pen.setLineDash(dash);
    pen.beginPath();
    for (const line of lines)
      line.forEach(([x, y], at) => {
        const place = [box.left + x * box.size, box.top + (1 - y) * box.size];
        if (at) pen.lineTo(...place); else pen.moveTo(...place);
      });
    pen.stroke();
    pen.setLineDash([]);
  }

  // All points are drawn once into a layer of their own, and again only when something about them has changed.
  points(pen, points, box, { colors, ink, key }) {
    const ratio = window.devicePixelRatio || 1, side = Math.ceil((box.size + 2 * EDGE) * ratio);
    if (this.layerKey !== `${key} ${side}`) {
      this.layerKey = `${key} ${side}`;
      this.layer.width = this.layer.height = side;
      const own = this.layer.getContext("2d");
      own.setTransform(ratio, 0, 0, ratio, 0, 0);
      const some = points.forgotten.size > 0, radius = Math.max(1.7, Math.min(3.2, box.size / 170));
      for (const last of [false, true])
        for (let at = 0; at < points.count; at++) {
          const isForgotten = points.forgotten.has(at);
          if (isForgotten !== last) continue;
          const [x, y] = [EDGE + points.x[at] * box.size, EDGE + (1 - points.y[at]) * box.size];
          own.globalAlpha = some && !isForgotten ? 0.6 : 1;
          own.beginPath();
          own.arc(x, y, radius, 0, 2 * Math.PI);
          own.fillStyle = isForgotten ? ink.page : colors[points.labels[at]];
          own.fill();
          own.lineWidth = isForgotten ? 1.7 : 0.6;
          own.strokeStyle = isForgotten ? colors[points.labels[at]] : ink.page;
          own.stroke();
        }
    }
    pen.drawImage(this.layer, box.left - EDGE, box.top - EDGE, box.size + 2 * EDGE, box.size + 2 * EDGE);
  }

  // Points that the method makes: hollow diamonds.
  made(pen, places, box, ink) {
    pen.lineWidth = 1.6;
    for (let at = 0; at < places.length; at += 2) {
      const x = box.left + (places[at] / 255) * box.size, y = box.top + (1 - places[at + 1] / 255) * box.size;
      pen.beginPath();
      pen.moveTo(x, y - 5);
      pen.lineTo(x + 5, y);
      pen.lineTo(x, y + 5);
      pen.lineTo(x - 5, y);
      pen.closePath();
      pen.fillStyle = ink.page;
      pen.fill();
      pen.strokeStyle = ink.ink;
      pen.stroke();
    }
  }

  lasso(pen, path, ink) {
    pen.beginPath();
    path.forEach(([x, y], at) => (at ? pen.lineTo(x, y) : pen.moveTo(x, y)));
    pen.closePath();
    pen.globalAlpha = 0.15;
    pen.fillStyle = ink.forget;
    pen.fill();
    pen.globalAlpha = 1;
    pen.strokeStyle = ink.forget;
    pen.lineWidth = 2;
    pen.setLineDash([6, 4]);
    pen.stroke();
    pen.setLineDash([]);
  }

  cross(pen, [x, y], radius, ink) {
    pen.strokeStyle = ink.ink;
    pen.lineWidth = 1.5;
    pen.beginPath();
    pen.moveTo(x - 9, y);
    pen.lineTo(x + 9, y);
    pen.moveTo(x, y - 9);
    pen.lineTo(x, y + 9);
    pen.stroke();
    if (!radius) return;
    pen.beginPath();
    pen.arc(x, y, radius, 0, 2 * Math.PI);
    pen.stroke();
  }

  map(canvas, field, lines, colors, style) {
    const drawn = context(canvas);
    if (!drawn) return;
    const box = { left: 0, top: 0, size: drawn.width };
    if (field) this.field(drawn.pen, field, colors, box);
    if (lines) this.lines(drawn.pen, lines, box, style);
  }

  // The share of each side that is predicted correctly, frame by frame, with the retrained model's at the right.
  curve(canvas, frames, moment, retrained, ink) {
    const drawn = context(canvas);
    if (!drawn || !frames) return;
    const { pen, width, height } = drawn, last = Math.max(1, frames.count - 1);
    const [left, right, top, bottom] = [34, width - 14, 20, height - 8];
    const x = (frame) => left + ((right - left) * frame) / last, y = (share) => bottom - (bottom - top) * share;
    pen.font = `11px ${ink.font}`;
    pen.textBaseline = "middle";
    pen.textAlign = "right";
    pen.lineWidth = 1;
    for (const share of [0, 0.5, 1]) {
      pen.strokeStyle = ink.border;
      pen.beginPath();
      pen.moveTo(left, y(share));
      pen.lineTo(right, y(share));
      pen.stroke();
      pen.fillStyle = ink.quiet;
      pen.fillText(`${100 * share} %`, left - 4, y(share));
    }
    this.phases(pen, frames, x, top, bottom, ink);
    for (const [side, dash] of [["retain", []], ["forget", [5, 3]]]) {
      if (frames.share(side, 0) === null) continue;
      pen.strokeStyle = ink[side];
      pen.lineWidth = 2;
      pen.setLineDash(dash);
      pen.beginPath();
      for (let frame = 0; frame < frames.count; frame++)
        pen[frame ? "lineTo" : "moveTo"](x(frame), y(frames.share(side, frame)));
      pen.stroke();
      pen.setLineDash([]);
      const share = frames.share(side, moment), goal = retrained?.share(side, 0) ?? null;
      pen.fillStyle = ink[side];
      pen.beginPath();
      pen.arc(x(moment), y(share), 4, 0, 2 * Math.PI);
      pen.fill();
      if (goal !== null) {
        pen.fillStyle = ink.gold;
        pen.beginPath();
        pen.moveTo(right + 7, y(goal) - 5);
        pen.lineTo(right + 12, y(goal));
        pen.lineTo(right + 7, y(goal) + 5);
        pen.lineTo(right + 2, y(goal));
        pen.fill();
      }
    }
    pen.strokeStyle = ink.ink;
    pen.lineWidth = 1;
    pen.beginPath();
    pen.moveTo(x(moment), top);
    pen.lineTo(x(moment), bottom);
    pen.stroke();
  }

  phases(pen, frames, x, top, bottom, ink) {
    pen.textAlign = "left";
    let end = -Infinity;
    frames.phases.forEach((phase, frame) => {
      if (!frame || phase === frames.phases[frame - 1] || phase === "before") return;
      pen.strokeStyle = ink.border;
      pen.beginPath();
      pen.moveTo(x(frame), top - 8);
      pen.lineTo(x(frame), bottom);
      pen.stroke();
      if (x(frame) < end) return;  // No room beside the name before it.
      pen.fillStyle = ink.quiet;
      pen.fillText(phase, x(frame) + 3, top - 10);
      end = x(frame) + 9 + pen.measureText(phase).width;
    });
  }
}
