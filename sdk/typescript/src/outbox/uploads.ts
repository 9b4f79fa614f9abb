// Uploads the files of messages that wait, some at a time and each in one page only.

import type { MediaId, RoomId } from "../generated/live.js";
import type { Media } from "../generated/people.js";
import { RookeryError } from "../errors.js";
import type { NewFile, UploadOptions } from "../media/upload.js";
import { alone } from "./alone.js";
import type { Parcel } from "./parcel.js";
import type { OutboxEntry, OutboxFile, OutboxStore } from "./store.js";

/** So many messages have their files uploaded at the same time. */
const AT_ONCE = 2;

/** What uploading needs from around it. */
export interface UploadsOwner {
  store: OutboxStore;
  upload(room: RoomId, file: NewFile, options: UploadOptions): Promise<Media>;
  remove(media: MediaId): Promise<void>;
  /** Something about the message changed; `durably`: also for a later life. */
  changed(parcel: Parcel, durably: boolean): void;
  /** All of its files are at the server. */
  ready(parcel: Parcel): void;
  failed(parcel: Parcel, error: RookeryError): void;
  /** Another page has sent or discarded it. */
  gone(parcel: Parcel): void;
}

/** The files of messages on their way. */
export class Uploads {
  readonly #owner: UploadsOwner;
  readonly #running = new Map<Parcel, AbortController>();
  readonly #turns: (() => void)[] = [];
  #free = AT_ONCE;

  constructor(owner: UploadsOwner) {
    this.#owner = owner;
  }

  /** Uploads what is not at the server yet; says when it is, or why it cannot be. */
  begin(parcel: Parcel): void {
    if (this.#running.has(parcel)) return;
    const controller = new AbortController();
    this.#running.set(parcel, controller);
    void this.#run(parcel, controller.signal);
  }

  stop(parcel: Parcel): void {
    this.#running.get(parcel)?.abort();
    this.#running.delete(parcel);
  }

  stopAll(): void {
    for (const parcel of [...this.#running.keys()]) this.stop(parcel);
  }

  /** Keeps bytes over a reload as far as there is room: what is not kept is lost if the page goes before it is sent. */
  async keep(parcel: Parcel): Promise<void> {
    const { files } = this.#owner.store;
    for (const [key, { source }] of parcel.files) {
      if (!files || !(source instanceof Blob) || parcel.file(key)?.kept || parcel.file(key)?.ready) continue;
      if (await files.keep(key, source).catch(() => false)) parcel.setFile(key, { kept: true });
    }
    if (parcel.files.size > 0) this.#owner.changed(parcel, false);
  }

  /** The bytes are not needed any more. */
  async drop({ entry }: Parcel): Promise<void> {
    const keys = (entry.attachments ?? []).filter((file) => file.kept).map((file) => file.key);
    if (keys.length > 0) await this.#owner.store.files?.drop(keys);
  }

  /** Removes what was uploaded for a message that is not to be sent. What a program uploaded itself is its own. */
  forget({ entry }: Parcel): void {
    for (const { media, key } of entry.attachments ?? []) {
      // What nobody refers to is collected by the server in a day; this is sooner.
      if (media !== undefined && media !== key) this.#owner.remove(media).catch(() => {});
    }
  }

  async #run(parcel: Parcel, signal: AbortSignal): Promise<void> {
    let isThere = true;
    try {
      await alone(`rookery upload ${parcel.entry.client_id}`, signal, async () => {
        isThere = await this.#refresh(parcel);
        if (isThere && !signal.aborted) await this.#inTurn(() => this.#files(parcel, signal));
      });
    } catch (error) {
      if (signal.aborted) return;
      this.#running.delete(parcel);
      return this.#owner.failed(parcel, error instanceof RookeryError ? error : new RookeryError("unusable", "the files cannot be uploaded", { cause: error }));
    }
    if (signal.aborted) return;
    this.#running.delete(parcel);
    if (isThere) this.#owner.ready(parcel);
    else this.#owner.gone(parcel);
  }

  /** Goes on from where another page or an earlier life has got. Whether the message is still to be sent. */
  async #refresh(parcel: Parcel): Promise<boolean> {
    const { account, client_id } = parcel.entry;
    let kept: OutboxEntry | undefined;
    try {
      kept = (await this.#owner.store.load(account)).find((entry) => entry.client_id === client_id);
    } catch {
      // An outbox that cannot be read knows nothing better.
      return true;
    }
    if (!kept) return !parcel.isStored;
    if (kept.attachments) parcel.entry = { ...parcel.entry, attachments: kept.attachments };
    return true;
  }

  async #files(parcel: Parcel, signal: AbortSignal): Promise<void> {
    await this.#found(parcel);
    for (const { key } of parcel.entry.attachments ?? []) {
      const file = parcel.file(key);
      if (file && !file.ready) await this.#file(parcel, file, signal);
    }
  }

  /** Finds the bytes of all of them before the first is uploaded, so that they can be shown. */
  async #found(parcel: Parcel): Promise<void> {
    const { files } = this.#owner.store;
    for (const { key, kept } of parcel.entry.attachments ?? []) {
      if (!kept || parcel.files.has(key)) continue;
      const source = await files?.get(key).catch(() => undefined);
      if (source) parcel.files.set(key, { source, sent: 0 });
    }
    this.#owner.changed(parcel, false);
  }

  async #file(parcel: Parcel, file: OutboxFile, signal: AbortSignal): Promise<void> {
    const { key, name, voice } = file;
    const source = parcel.files.get(key)?.source;
    if (!source) throw new RookeryError("unusable", `${name} was not kept when the page was left`);
    let media = file.media;
    const options: UploadOptions = {
      signal,
      ...(media === undefined ? {} : { id: media }),
      onProgress: (progress) => {
        parcel.files.set(key, { source, sent: progress.sent });
        parcel.error = progress.error;
        if (progress.media !== media) parcel.setFile(key, { media: progress.media });
        this.#owner.changed(parcel, progress.media !== media);
        media = progress.media;
      },
    };
    const made = await this.#owner.upload(parcel.entry.room, { name, source, ...(voice ? { voice: { ...voice, waveform: [...voice.waveform] } } : {}) }, options);
    if (signal.aborted) return;
    parcel.setFile(key, { media: made.id, ready: true });
    this.#owner.changed(parcel, true);
  }

  async #inTurn(run: () => Promise<void>): Promise<void> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#turns.push(resolve));
    try {
      await run();
    } finally {
      const next = this.#turns.shift();
      if (next) next();
      else this.#free += 1;
    }
  }
}
