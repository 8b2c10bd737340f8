// Which images are selected: a set of image numbers, and the list of images that are shown, in their order.

class Selection {
  constructor() {
    this.images = new Uint32Array();
    this.chosen = new Set();
    this.anchor = 0;
  }

  has(index) { return this.chosen.has(this.images[index]); }

  toggle(index) {
    if (!this.chosen.delete(this.images[index])) this.chosen.add(this.images[index]);
    this.anchor = index;
  }

  only(index) {
    this.chosen = new Set([this.images[index]]);
    this.anchor = index;
  }

  extend(index, from = this.anchor) {
    const [first, last] = [Math.min(from, index), Math.max(from, index)];
    for (let at = first; at <= last; at++) this.chosen.add(this.images[at]);
  }

  all() { for (const image of this.images) this.chosen.add(image); }

  toText() { return formatRanges([...this.chosen].sort((one, other) => one - other)); }

  fromText(text) { this.chosen = new Set(parseRanges(text)); }
}

// Ascending numbers as text, such as "3-5,9": the notation of `store/image_lists.py`.
function formatRanges(numbers) {
  const parts = [];
  for (let start = 0; start < numbers.length; ) {
    let end = start;
    while (end + 1 < numbers.length && numbers[end + 1] === numbers[end] + 1) end++;
    parts.push(start === end ? `${numbers[start]}` : `${numbers[start]}-${numbers[end]}`);
    start = end + 1;
  }
  return parts.join(",");
}

function parseRanges(text) {
  const found = [];
  for (const part of text ? text.split(",") : []) {
    const [first, last = first] = part.split("-").map(Number);
    for (let number = first; number <= last; number++) found.push(number);
  }
  return found;
}
