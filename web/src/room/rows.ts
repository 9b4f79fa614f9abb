// Where the rows of a long list are, of which only a few have been measured: a machine that knows nothing of a page.

export type Key = number | string;

/** Keys are the numbers of messages, ascending, and then names of what is not a message yet. */
export class Rows {
  #keys: Key[] = [];
  #heights: number[] = [];
  readonly #measured = new Map<Key, number>();
  /** `#offsets[i]` is where row `i` begins; right up to and with `#sure`. */
  #offsets = new Float64Array(1_024);
  #sure = 0;

  get length(): number {
    return this.#keys.length;
  }

  /** Takes the rows as they are now. Those that were there keep their heights. */
  update(length: number, keyAt: (index: number) => Key, estimate: (index: number) => number): void {
    let same = 0;
    if (length > 0 && this.#keys[0] === keyAt(0)) {
      // What lies between two rows of a list without holes is the same if both ends are.
      same = Math.min(length, this.#keys.length);
      while (same > 0 && this.#keys[same - 1] !== keyAt(same - 1)) same -= 1;
    }
    this.#keys.length = this.#heights.length = same;
    for (let index = same; index < length; index += 1) {
      const key = keyAt(index);
      this.#keys.push(key);
      this.#heights.push(this.#measured.get(key) ?? estimate(index));
    }
    this.#sure = Math.min(this.#sure, same);
  }

  /** Whether a row is as high as it was taken for. */
  measure(key: Key, height: number): boolean {
    this.#measured.set(key, height);
    const index = this.indexOf(key);
    if (index < 0 || this.#heights[index] === height) return true;
    this.#heights[index] = height;
    this.#sure = Math.min(this.#sure, index);
    return false;
  }

  key(index: number): Key | undefined {
    return this.#keys[index];
  }

  /** Where a row begins; with the number of rows, where the last one ends. */
  offset(index: number): number {
    this.#sum(index);
    return this.#offsets[index] ?? 0;
  }

  get total(): number {
    return this.offset(this.length);
  }

  /** The row at this place. */
  at(place: number): number {
    this.#sum(this.length);
    let [from, to] = [0, Math.max(this.length - 1, 0)];
    while (from < to) {
      const middle = (from + to + 1) >> 1;
      if ((this.#offsets[middle] ?? 0) <= place) from = middle;
      else to = middle - 1;
    }
    return from;
  }

  indexOf(key: Key): number {
    if (typeof key === "string") return this.#keys.lastIndexOf(key);
    const index = this.#firstFrom(key);
    return this.#keys[index] === key ? index : -1;
  }

  /** The first message with this number or a later one; the number of rows if there is none. */
  #firstFrom(seq: number): number {
    let [from, to] = [0, this.#keys.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      const key = this.#keys[middle];
      if (typeof key === "number" && key < seq) from = middle + 1;
      else to = middle;
    }
    return from;
  }

  #sum(upTo: number): void {
    if (this.#offsets.length <= this.length) {
      const wider = new Float64Array((this.length + 1) * 2);
      wider.set(this.#offsets);
      this.#offsets = wider;
    }
    for (let index = this.#sure; index < upTo; index += 1) {
      this.#offsets[index + 1] = (this.#offsets[index] ?? 0) + (this.#heights[index] ?? 0);
    }
    this.#sure = Math.max(this.#sure, upTo);
  }
}
