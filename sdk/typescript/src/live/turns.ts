// Some at once, the others in the order in which they came.

/** Lets so many run at the same time, each under a name; a name that runs or waits already is not taken twice. */
export class Turns {
  readonly #most: number;
  readonly #running = new Set<string>();
  readonly #waiting = new Map<string, () => void>();

  constructor(most: number) {
    this.#most = most;
  }

  /** Runs now or when it is its turn; under a name that runs it runs now, in the same place. */
  take(name: string, run: () => void): void {
    if (this.#running.has(name) || this.#running.size < this.#most) {
      this.#running.add(name);
      run();
    } else {
      this.#waiting.set(name, run);
    }
  }

  /** Its place is free. */
  done(name: string): void {
    this.#waiting.delete(name);
    this.#running.delete(name);
    for (const [next, run] of this.#waiting) {
      if (this.#running.size >= this.#most) return;
      this.#waiting.delete(next);
      this.#running.add(next);
      run();
    }
  }

  /** Forgets all. */
  clear(): void {
    this.#running.clear();
    this.#waiting.clear();
  }
}
