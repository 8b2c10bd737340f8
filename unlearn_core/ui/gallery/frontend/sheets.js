// The files of a list: the numbers of its images, and sheets of images with their texts, fetched when in sight.

const PER_SHEET = 64, SHEET_COLUMNS = 8;

class Sheets {
  constructor(url, onReady, onError) {
    Object.assign(this, { url, onReady, onError });
    this.known = new Map();
    this.timer = null;
  }

  async images() {
    const answer = await fetch(`${this.url}/images`);
    if (!answer.ok) throw new Error(answer.statusText);
    return new Uint32Array(await answer.arrayBuffer());
  }

  // The image and the texts of an item; null while they are being fetched.
  at(index) {
    const sheet = this.known.get(Math.floor(index / PER_SHEET));
    if (!sheet?.texts) return null;
    const place = index % PER_SHEET, [lines, label] = sheet.texts[place];
    return { url: sheet.url, column: place % SHEET_COLUMNS, row: Math.floor(place / SHEET_COLUMNS), lines, label };
  }

  // Fetch what these items need, once the view has rested for a moment: what is scrolled past is never fetched.
  want(first, last) {
    this.wanted = [Math.floor(first / PER_SHEET), Math.floor(last / PER_SHEET)];
    if (this.timer === null) this.timer = setTimeout(() => this.fetchWanted(), this.known.size ? 100 : 0);
  }

  fetchWanted() {
    this.timer = null;
    for (let number = this.wanted[0]; number <= this.wanted[1]; number++)
      if (!this.known.has(number)) this.fetchSheet(number);
  }

  async fetchSheet(number) {
    const sheet = { url: `${this.url}/${number}.sheet`, texts: null };
    this.known.set(number, sheet);
    try {
      const image = new Image();
      image.src = sheet.url;
      const [answer] = await Promise.all([fetch(`${this.url}/${number}.json`), image.decode()]);
      if (!answer.ok) throw new Error(answer.statusText);
      sheet.texts = await answer.json();
      sheet.image = image; // Kept, so that the browser need not decode it again.
      this.onReady();
    } catch {
      this.known.delete(number);
      this.onError();
    }
  }
}
