// How long to wait before the next attempt: full jitter below a ceiling that doubles.

const FIRST_MS = 500;
const LONGEST_MS = 30_000;

/** Waits that grow with every failure, spread so that clients that failed together do not come back together. */
export class Pace {
  readonly #random: () => number;
  #ceiling = FIRST_MS;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** The wait after one more failure: anything up to the ceiling. */
  failed(): number {
    const ceiling = this.#ceiling;
    this.#ceiling = Math.min(ceiling * 2, LONGEST_MS);
    return this.#random() * ceiling;
  }

  /** It worked: the next failure starts small again. */
  worked(): void {
    this.#ceiling = FIRST_MS;
  }

  /** A wait that the server asked for: never shorter, a little longer. */
  asked(ms: number): number {
    return ms + this.#random() * Math.min(ms * 0.2, LONGEST_MS);
  }
}
