// One upload: begun or gone on with, its parts a few at a time, each until the server has it.

import { RookeryError } from "../errors.js";
import type { MediaId, RoomId } from "../generated/live.js";
import type { Media as MediaView, NewMedia, Voice } from "../generated/people.js";
import { Pace } from "../live/pace.js";
import { clientId } from "../outbox/client-id.js";
import type { MediaRoutes } from "../rest/media.js";
import { type MediaSource, partOf, sumOf, usableName } from "./source.js";

/** Parts on the way at the same time. */
const TOGETHER = 3;
/** So often what the server is said to have turned out to be missing. */
const ROUNDS = 5;

/** A file that is to be uploaded. */
export interface NewFile {
  /** What people see. What the server does not take in a name is left out of it. */
  readonly name: string;
  readonly source: MediaSource;
  /** It is a voice message. */
  readonly voice?: Voice;
}

/** How far an upload is. */
export interface UploadProgress {
  readonly media: MediaId;
  /** Bytes that the server has. */
  readonly sent: number;
  readonly size: number;
  /** Why it does not go on right now. */
  readonly error?: RookeryError;
}

/** How to upload. */
export interface UploadOptions {
  /** An upload that was begun earlier, with the same file: what the server has of it is not sent again. */
  id?: MediaId;
  signal?: AbortSignal;
  onProgress?: (progress: UploadProgress) => void;
}

/** Whether it is of use to try again. */
function isPassing(error: unknown): error is RookeryError {
  if (!(error instanceof RookeryError)) return false;
  const { code, status, retryAfterMs } = error;
  return code === "unreachable" || (retryAfterMs !== undefined && status !== 413) || ((code === "busy" || code === "unavailable") && status !== 507);
}

/** Waits that end early when it is known that there is a server again. */
export class Waits {
  readonly #ends = new Set<() => void>();

  end(): void {
    for (const end of [...this.#ends]) end();
  }

  wait(ms: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(givenUp());
      const over = (): void => {
        clearTimeout(timer);
        this.#ends.delete(end);
        signal?.removeEventListener("abort", stop);
      };
      const end = (): void => {
        over();
        resolve();
      };
      const stop = (): void => {
        over();
        reject(givenUp());
      };
      const timer = setTimeout(end, Math.min(ms, 2_000_000_000));
      this.#ends.add(end);
      signal?.addEventListener("abort", stop);
    });
  }
}

const givenUp = (): RookeryError => new RookeryError("stopped", "the upload was given up");

/** One upload under way. */
export class Upload {
  readonly #routes: MediaRoutes;
  readonly #waits: Waits;
  readonly #pace: Pace;
  readonly #room: RoomId;
  readonly #file: NewFile;
  readonly #options: UploadOptions;
  #view: MediaView | undefined;
  readonly #there = new Set<number>();
  #error: RookeryError | undefined;

  constructor(routes: MediaRoutes, waits: Waits, random: () => number, room: RoomId, file: NewFile, options: UploadOptions) {
    this.#routes = routes;
    this.#waits = waits;
    this.#pace = new Pace(random);
    this.#room = room;
    this.#file = file;
    this.#options = options;
  }

  /** Kept with the description once the server has made of it what it makes. */
  async run(): Promise<MediaView> {
    let view = await this.#known();
    for (let round = 0; view.state === "uploading" && round < ROUNDS; round += 1) {
      try {
        await this.#sendParts(view);
        view = await this.#until(() => this.#routes.complete(view.id, view.size, this.#options.signal));
      } catch (error) {
        if (!isBehind(error)) throw error;
        view = await this.#until(() => this.#routes.get(view.id, this.#options.signal));
      }
    }
    if (view.state === "ready") return view;
    throw new RookeryError("conflict", "the server did not take the file: it was changed on the way or while it was sent");
  }

  /** What the server knows of it; a new upload where that is nothing. */
  async #known(): Promise<MediaView> {
    const { id, signal } = this.#options;
    if (id !== undefined) {
      try {
        const view = await this.#until(() => this.#routes.get(id, signal));
        if (view.state === "ready" || (view.state === "uploading" && view.size === this.#file.source.size)) return this.#take(view);
      } catch (error) {
        // An upload that nobody went on with for long is collected.
        if (!(error instanceof RookeryError && error.code === "not_found")) throw error;
      }
    }
    const { source, voice, name } = this.#file;
    if (source.size === 0) throw new RookeryError("bad_request", "an empty file cannot be sent");
    const sha256 = await sumOf(source);
    const wish: NewMedia = { name: usableName(name), size: source.size, ...(sha256 ? { sha256 } : {}), ...(voice ? { voice } : {}) };
    const key = clientId();
    return this.#take(await this.#until(() => this.#routes.begin(this.#room, wish, key, signal)));
  }

  #take(view: MediaView): MediaView {
    this.#view = view;
    this.#there.clear();
    for (const part of view.parts) this.#there.add(part);
    this.#tell();
    return view;
  }

  async #sendParts(view: MediaView): Promise<void> {
    this.#take(view);
    const missing: number[] = [];
    for (let part = 0; part * view.part_size < view.size; part += 1) if (!this.#there.has(part)) missing.push(part);
    // One that fails for good ends the others.
    const all = new AbortController();
    const stop = (): void => all.abort();
    const { signal } = this.#options;
    if (signal?.aborted) stop();
    signal?.addEventListener("abort", stop);
    const worker = async (): Promise<void> => {
      for (let part = missing.shift(); part !== undefined; part = missing.shift()) await this.#sendPart(view, part, all.signal);
    };
    try {
      await Promise.all(Array.from({ length: TOGETHER }, worker));
    } finally {
      signal?.removeEventListener("abort", stop);
      stop();
    }
  }

  async #sendPart(view: MediaView, part: number, signal: AbortSignal): Promise<void> {
    const from = part * view.part_size;
    const bytes = await partOf(this.#file.source, from, Math.min(from + view.part_size, view.size));
    await this.#until(() => this.#routes.putPart(view.id, part, bytes, signal), signal);
    this.#there.add(part);
    this.#tell();
  }

  /** Tries until there is an answer that says something. */
  async #until<T>(ask: () => Promise<T>, signal = this.#options.signal): Promise<T> {
    for (;;) {
      try {
        const answer = await ask();
        this.#pace.worked();
        this.#fail(undefined);
        return answer;
      } catch (error) {
        if (!isPassing(error) || signal?.aborted) throw error;
        this.#fail(error);
        await this.#waits.wait(error.retryAfterMs === undefined ? this.#pace.failed() : this.#pace.asked(error.retryAfterMs), signal);
      }
    }
  }

  #fail(error: RookeryError | undefined): void {
    if (this.#error === error) return;
    this.#error = error;
    this.#tell();
  }

  #tell(): void {
    const view = this.#view;
    if (!view || this.#options.signal?.aborted) return;
    let sent = 0;
    for (const part of this.#there) sent += Math.min(view.part_size, view.size - part * view.part_size);
    const error = this.#error;
    this.#options.onProgress?.({ media: view.id, sent: view.state === "ready" ? view.size : sent, size: view.size, ...(error ? { error } : {}) });
  }
}

/** The server has less than it was said to have, as after a backup was restored; or all of it, as another page was here. */
function isBehind(error: unknown): boolean {
  return error instanceof RookeryError && error.code === "conflict" && !error.fields.some((field) => field.pointer.endsWith("sha256"));
}
