// Bytes of files as addresses of this page: fetched once with the login's token, shared, and let go of when there are many.

import { RookeryError } from "../state/wire";

/** So many are fetched at the same time; what is scrolled past before its turn is not fetched at all. */
const AT_ONCE = 4;
/** So often the server may ask to come back later. */
const TRIES = 5;
/** Bytes that nobody shows at the moment are kept up to this sum, in case they are scrolled to again. */
const SPARE_BYTES = 40_000_000;

interface Kept {
  address: Promise<string>;
  controller: AbortController;
  users: number;
  bytes: number;
  url: string | undefined;
}

/** An address to be shown until `release`. */
export interface Held {
  address: Promise<string>;
  release: () => void;
}

export class Blobs {
  /** Those that were let go of last are the last. */
  readonly #kept = new Map<string, Kept>();
  readonly #spare: number;
  readonly #turns: (() => void)[] = [];
  #free = AT_ONCE;

  constructor(spare = SPARE_BYTES) {
    this.#spare = spare;
  }

  hold(key: string, load: (signal: AbortSignal) => Promise<Blob>): Held {
    const kept = this.#kept.get(key) ?? this.#load(key, load);
    kept.users += 1;
    let isHeld = true;
    const release = (): void => {
      if (!isHeld) return;
      isHeld = false;
      kept.users -= 1;
      if (kept.users === 0) this.#rest(key, kept);
    };
    return { address: kept.address, release };
  }

  /** Nothing is shown any more. */
  clear(): void {
    for (const [key, kept] of [...this.#kept]) this.#forget(key, kept);
  }

  #load(key: string, load: (signal: AbortSignal) => Promise<Blob>): Kept {
    const controller = new AbortController();
    const kept: Kept = { controller, users: 0, bytes: 0, url: undefined, address: Promise.resolve("") };
    kept.address = this.#fetched(load, controller.signal).then(
      (blob) => {
        if (controller.signal.aborted) throw new DOMException("not wanted any more", "AbortError");
        kept.bytes = blob.size;
        kept.url = URL.createObjectURL(blob);
        return kept.url;
      },
      (error: unknown) => {
        // The next who asks tries again.
        if (this.#kept.get(key) === kept) this.#kept.delete(key);
        throw error;
      },
    );
    kept.address.catch(() => {});
    this.#kept.set(key, kept);
    return kept;
  }

  async #fetched(load: (signal: AbortSignal) => Promise<Blob>, signal: AbortSignal): Promise<Blob> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#turns.push(resolve));
    try {
      signal.throwIfAborted();
      return await patiently(load, signal);
    } finally {
      const next = this.#turns.shift();
      if (next) next();
      else this.#free += 1;
    }
  }

  #rest(key: string, kept: Kept): void {
    if (this.#kept.get(key) !== kept) return;
    if (kept.url === undefined) return this.#forget(key, kept);
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    let spare = 0;
    for (const one of this.#kept.values()) if (one.users === 0) spare += one.bytes;
    for (const [other, one] of this.#kept) {
      if (spare <= this.#spare) return;
      if (one.users > 0) continue;
      spare -= one.bytes;
      this.#forget(other, one);
    }
  }

  #forget(key: string, kept: Kept): void {
    this.#kept.delete(key);
    kept.controller.abort();
    if (kept.url !== undefined) URL.revokeObjectURL(kept.url);
  }
}

/** Comes back when the server says so. */
async function patiently(load: (signal: AbortSignal) => Promise<Blob>, signal: AbortSignal): Promise<Blob> {
  for (let left = TRIES; ; left -= 1) {
    try {
      return await load(signal);
    } catch (error) {
      if (left <= 1 || signal.aborted || !(error instanceof RookeryError) || error.retryAfterMs === undefined) throw error;
      const { retryAfterMs } = error;
      await new Promise((resolve) => setTimeout(resolve, retryAfterMs + Math.random() * 500));
    }
  }
}
