// One message on its way, as the sender keeps it.

import type { NewFile, Outgoing, OutgoingFile } from "../api.js";
import { type ErrorCode, RookeryError } from "../errors.js";
import type { ClientSend } from "../generated/frames.js";
import type { Receipt } from "../generated/people.js";
import type { MediaSource } from "../media/source.js";
import { clientId } from "./client-id.js";
import type { OutboxEntry, OutboxFile } from "./store.js";

/**
 * `storing`: not in the outbox yet. `uploading`: its files are on their way. `waiting`: its turn has not come. `flying`:
 * sent, without an answer. `resting`: refused for now, tried again later. `sent` and `failed` are ends.
 */
export type Phase = "storing" | "uploading" | "waiting" | "flying" | "resting" | "sent" | "failed";

/** A promise with its two ends. */
class Settled<T> {
  readonly promise: Promise<T>;
  resolve!: (value: T) => void;
  reject!: (error: unknown) => void;

  constructor() {
    this.promise = new Promise<T>((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    // Who does not ask for the outcome sees it as an event.
    this.promise.catch(() => {});
  }
}

/** One message on its way. */
export class Parcel {
  entry: OutboxEntry;
  phase: Phase;
  seq: number | undefined;
  error: RookeryError | undefined;
  retryAt: number | undefined;
  /** How often in a row it was to be sent again at once. */
  moves = 0;
  timer: ReturnType<typeof setTimeout> | undefined;
  /** Whether the outbox has it. */
  isStored = false;
  /** The bytes of its files, as far as they are known, and how many the server has. */
  readonly files = new Map<string, { source: MediaSource; sent: number }>();
  readonly stored = new Settled<void>();
  readonly sent = new Settled<Receipt>();

  constructor(entry: OutboxEntry, phase: Phase) {
    this.entry = entry;
    this.phase = phase;
    if (entry.failed) {
      this.phase = "failed";
      this.error = new RookeryError(entry.failed.code as ErrorCode, entry.failed.message);
    }
  }

  /** Stops whatever would happen to it later. */
  calm(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.retryAt = undefined;
  }

  /** Takes files along; one that a program has uploaded itself is known by its id. */
  carry(files: readonly (NewFile | string)[]): void {
    if (files.length === 0) return;
    const attachments = files.map((file): OutboxFile => {
      if (typeof file === "string") return { key: file, media: file, name: "", size: 0, ready: true };
      const { name, source, voice } = file;
      const key = clientId();
      this.files.set(key, { source, sent: 0 });
      return { key, name, size: source.size, type: source instanceof Blob ? source.type : "", ...(voice ? { voice } : {}) };
    });
    this.entry = { ...this.entry, attachments };
  }

  /** Whether a file of it is not at the server yet. */
  get isUnready(): boolean {
    return this.entry.attachments?.some((file) => !file.ready) ?? false;
  }

  file(key: string): OutboxFile | undefined {
    return this.entry.attachments?.find((file) => file.key === key);
  }

  setFile(key: string, change: Partial<OutboxFile>): void {
    const attachments = this.entry.attachments?.map((file) => (file.key === key ? { ...file, ...change } : file));
    if (attachments) this.entry = { ...this.entry, attachments };
  }

  /** What the server has of its files is not there any more, or never was: they are to be uploaded anew. */
  startAnew(): boolean {
    const { attachments } = this.entry;
    if (!attachments?.some((file) => this.files.has(file.key))) return false;
    this.entry = {
      ...this.entry,
      attachments: attachments.map(({ media, ready, ...file }) => (this.files.has(file.key) ? file : { ...file, ...(media ? { media } : {}), ...(ready ? { ready } : {}) })),
    };
    return true;
  }

  /** As it is sent. */
  frame(): ClientSend {
    const { room, client_id, body, reply_to, mentions, attachments, seen } = this.entry;
    return {
      type: "send",
      room,
      client_id,
      body,
      ...(reply_to === undefined ? {} : { reply_to }),
      ...(mentions === undefined ? {} : { mentions }),
      ...(attachments === undefined ? {} : { attachments: attachments.flatMap(({ media }) => media ?? []) }),
      ...(seen === undefined ? {} : { seen }),
    };
  }

  #shownFile(file: OutboxFile): OutgoingFile {
    const { key, name, size, type, voice, media, ready, kept } = file;
    const known = this.files.get(key);
    const isLost = !ready && !known && !kept;
    return {
      key,
      name,
      size,
      type: type ?? "",
      state: ready ? "ready" : isLost ? "lost" : media === undefined ? "waiting" : "uploading",
      sent: ready ? size : (known?.sent ?? 0),
      // Until it is known that there is no room for it.
      kept: kept ?? this.phase === "storing",
      ...(voice === undefined ? {} : { voice }),
      ...(media === undefined ? {} : { media }),
      ...(known === undefined ? {} : { source: known.source }),
    };
  }

  /** As programs see it. */
  shown(): Outgoing {
    const { room, client_id, body, reply_to, mentions, attachments, at } = this.entry;
    return {
      room,
      client_id,
      body,
      ...(attachments === undefined ? {} : { attachments: attachments.map((file) => this.#shownFile(file)) }),
      at: new Date(at),
      state: this.phase === "sent" || this.phase === "failed" ? this.phase : "pending",
      ...(reply_to === undefined ? {} : { reply_to }),
      ...(mentions === undefined ? {} : { mentions }),
      ...(this.seq === undefined ? {} : { seq: this.seq }),
      ...(this.error === undefined ? {} : { error: this.error }),
      ...(this.retryAt === undefined ? {} : { retryAt: new Date(this.retryAt) }),
    };
  }
}

/** Parcels with those that were found in the store among them, in everybody's order: that of the store. */
export function inOrder(parcels: readonly Parcel[], found: readonly Parcel[], entries: readonly OutboxEntry[]): Parcel[] {
  const places = new Map(entries.map((entry, place) => [entry.client_id, place]));
  // What is not in the store yet is newer, and stays behind what it was written after.
  let last = entries.length;
  const placed = parcels.map((parcel) => {
    last = places.get(parcel.entry.client_id) ?? last;
    return { parcel, place: last };
  });
  for (const parcel of found) placed.push({ parcel, place: places.get(parcel.entry.client_id) ?? entries.length });
  placed.sort((one, other) => one.place - other.place);
  return placed.map(({ parcel }) => parcel);
}
