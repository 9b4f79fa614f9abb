// Who listens to what.

/** Calls listeners in the order in which they came. One that throws stops neither the others nor the caller. */
export class Emitter<Events extends { [K in keyof Events]: unknown[] }> {
  readonly #listeners = new Map<keyof Events, Set<(...told: never[]) => void>>();

  on<K extends keyof Events>(name: K, listener: (...told: Events[K]) => void): () => void {
    const set = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, set);
    // A listener that is given twice is called twice.
    const own = ((...told: Events[K]): void => listener(...told)) as unknown as (...told: never[]) => void;
    set.add(own);
    return () => void set.delete(own);
  }

  emit<K extends keyof Events>(name: K, ...told: Events[K]): void {
    for (const listener of [...(this.#listeners.get(name) ?? [])]) {
      try {
        (listener as unknown as (...told: Events[K]) => void)(...told);
      } catch (error) {
        // As with the platform's own events: it is the listener's mistake, and it shows.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
