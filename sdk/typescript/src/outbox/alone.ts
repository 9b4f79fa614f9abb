// Doing something in one of several pages at a time, where the browser can say whose turn it is.

/** Runs when no other page runs under the same name; a page that goes away hands over. Elsewhere it runs at once. */
export async function alone<T>(name: string, signal: AbortSignal, run: () => Promise<T>): Promise<T> {
  const locks = (globalThis.navigator as Navigator | undefined)?.locks as LockManager | undefined;
  return locks ? ((await locks.request(name, { signal }, run)) as T) : run();
}
