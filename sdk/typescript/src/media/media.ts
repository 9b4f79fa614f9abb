// Files for programs: uploads that are gone on with until they are done, and what is downloaded.

import type { MediaId, RoomId } from "../generated/live.js";
import type { Media as MediaView, MediaLink } from "../generated/people.js";
import type { MediaRoutes } from "../rest/media.js";
import { type NewFile, Upload, type UploadOptions, Waits } from "./upload.js";

/** What a file is that is to be read; any description of it will do. */
export interface Readable {
  readonly id: MediaId;
  readonly size: number;
}

/** Files of one login. */
export class MediaFiles {
  readonly #routes: MediaRoutes;
  readonly #random: () => number;
  readonly #waits = new Waits();

  constructor(routes: MediaRoutes, random: () => number) {
    this.#routes = routes;
    this.#random = random;
  }

  upload(room: RoomId, file: NewFile, options: UploadOptions = {}): Promise<MediaView> {
    return new Upload(this.#routes, this.#waits, this.#random, room, file, options).run();
  }

  get(media: MediaId): Promise<MediaView> {
    return this.#routes.get(media);
  }

  content(media: Readable, signal?: AbortSignal): Promise<Blob> {
    return this.#routes.content(media.id, media.size, signal);
  }

  thumbnail(media: MediaId, signal?: AbortSignal): Promise<Blob> {
    return this.#routes.thumbnail(media, signal);
  }

  link(media: MediaId): Promise<MediaLink> {
    return this.#routes.link(media);
  }

  remove(media: MediaId): Promise<void> {
    return this.#routes.remove(media);
  }

  /** There is a server: whoever waits to try again tries now. */
  nudge(): void {
    this.#waits.end();
  }
}
