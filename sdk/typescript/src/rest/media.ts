// The routes of files: one upload part by part, and what became of it.

import type { MediaId, RoomId } from "../generated/live.js";
import type * as Wire from "../generated/people.js";
import type { Http } from "./http.js";

/** So slow a line may be: bytes of a part, or of a picture, in a second. */
const SLOWEST = 8 * 1_024;
/** So slowly a server may read what it has stored. */
const READ_AGAIN = 8 * 1_024 * 1_024;
const ANSWER_MS = 30_000;

const patienceFor = (bytes: number, perSecond: number): number => ANSWER_MS + Math.ceil(bytes / perSecond) * 1_000;

/** Files; `client.media` does with them what programs want. */
export class MediaRoutes {
  readonly #http: Http;

  constructor(http: Http) {
    this.#http = http;
  }

  /** Begins an upload. A try that got no answer is repeated with the same key. */
  begin(room: RoomId, wish: Wire.NewMedia, idempotencyKey: string, signal?: AbortSignal): Promise<Wire.Media> {
    return this.#http.ask("post_rooms_room_media", { path: { room }, body: wish, idempotencyKey, ...given(signal) });
  }

  /** One part, as often as one likes. */
  async putPart(media: MediaId, part: number, bytes: Uint8Array<ArrayBuffer>, signal?: AbortSignal): Promise<void> {
    const patienceMs = patienceFor(bytes.byteLength, SLOWEST);
    await this.#http.ask("put_media_media_parts_part", { path: { media, part }, bytes, patienceMs, ...given(signal) });
  }

  complete(media: MediaId, size: number, signal?: AbortSignal): Promise<Wire.Media> {
    return this.#http.ask("post_media_media_complete", { path: { media }, patienceMs: patienceFor(size, READ_AGAIN), ...given(signal) });
  }

  get(media: MediaId, signal?: AbortSignal): Promise<Wire.Media> {
    return this.#http.ask("get_media_media", { path: { media }, ...given(signal) });
  }

  /** The whole file, in memory. */
  content(media: MediaId, size: number, signal?: AbortSignal): Promise<Blob> {
    return this.#http.blob("get_media_media_content", { path: { media }, patienceMs: patienceFor(size, SLOWEST), ...given(signal) });
  }

  thumbnail(media: MediaId, signal?: AbortSignal): Promise<Blob> {
    return this.#http.blob("get_media_media_thumbnail", { path: { media }, ...given(signal) });
  }

  /** A link for some minutes, for what cannot send a token. */
  async link(media: MediaId): Promise<Wire.MediaLink> {
    const link = await this.#http.ask("post_media_media_links", { path: { media } });
    return { ...link, url: this.#http.absolute(link.url) };
  }

  /** Deletes a file of mine that no message carries. */
  async remove(media: MediaId): Promise<void> {
    await this.#http.ask("delete_media_media", { path: { media } });
  }
}

const given = (signal: AbortSignal | undefined): { signal?: AbortSignal } => (signal ? { signal } : {});
