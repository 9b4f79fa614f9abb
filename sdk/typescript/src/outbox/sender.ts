// Sends what is in the outbox: per room one after the other, under the same `client_id` until there is an answer.

import type { Outgoing, Patience, Sending, SendOptions } from "../api.js";
import { ofNack, RookeryError } from "../errors.js";
import type { ClientSend, ServerAck, ServerNack } from "../generated/frames.js";
import type { EventFrame, RoomId, Seq, UserId } from "../generated/live.js";
import { Pace } from "../live/pace.js";
import { clientId } from "./client-id.js";
import { inOrder, Parcel } from "./parcel.js";
import type { OutboxEntry, OutboxStore } from "./store.js";
import { Uploads, type UploadsOwner } from "./uploads.js";

/** At most so many sends without an answer, over all rooms. */
const FLYING = 32;
/** So many may wait; who writes more is told so at once. */
const WAITING = 10_000;
/** No answer for so long means that the outcome is not known: it is sent again. */
const ANSWER_MS = 15_000;
/** So often in a row a message follows a room that moves at once. */
const MOVES = 3;
/** What another tab has put into the outbox is left to it for so long, and looked for so often. */
const OTHERS_MS = 30_000;

/** What a sender needs from around it. */
export interface SenderOwner {
  store: OutboxStore;
  random: () => number;
  patience: Patience | undefined;
  /** Whose outbox; `undefined` until it is known who we are. */
  account(): string | undefined;
  user(): UserId | undefined;
  /** Whether the frame went out. */
  write(frame: ClientSend): boolean;
  cursor(room: RoomId): Seq | undefined;
  changed(outgoing: Outgoing, gone: boolean): void;
  problem(error: RookeryError): void;
  upload: UploadsOwner["upload"];
  remove: UploadsOwner["remove"];
}

/** The outbox at work. */
export class Sender {
  readonly #owner: SenderOwner;
  /** In the order in which they are sent. */
  readonly #parcels = new Map<string, Parcel>();
  /** What was done with since the outbox was last read, which may still be in what was read. */
  readonly #finished = new Set<string>();
  readonly #pace: Pace;
  readonly #uploads: Uploads;
  readonly #othersMs: number;
  readonly #answerMs: number;
  #connected = false;
  #loaded = false;
  /** Nothing new is sent before what an earlier life has left is known. */
  #mayGo = false;
  /** Writes to the store, one after the other: their order is the order of the messages. */
  #writes: Promise<void> = Promise.resolve();
  #reading: Promise<void> = Promise.resolve();
  #looking: ReturnType<typeof setInterval> | undefined;

  constructor(owner: SenderOwner) {
    this.#owner = owner;
    this.#pace = new Pace(owner.random);
    this.#othersMs = owner.patience?.othersMs ?? OTHERS_MS;
    this.#answerMs = owner.patience?.answerMs ?? ANSWER_MS;
    this.#uploads = new Uploads({
      store: owner.store,
      upload: owner.upload,
      remove: owner.remove,
      changed: (parcel, durably) => {
        if (durably) this.#write(() => owner.store.replace(parcel.entry));
        this.#tell(parcel);
      },
      ready: (parcel) => this.#uploaded(parcel),
      failed: (parcel, error) => this.#notUploaded(parcel, error),
      gone: (parcel) => {
        parcel.sent.reject(new RookeryError("stopped", "another page took care of the message", { unknown: true }));
        this.#leave(parcel);
      },
    });
  }

  send(room: RoomId, body: string, options: SendOptions = {}): Sending {
    if (this.#parcels.size >= WAITING) throw new RookeryError("busy", `${WAITING} messages wait to be sent already`);
    const seen = this.#owner.cursor(room);
    const parcel = new Parcel(
      {
        account: this.#owner.account() ?? "",
        room,
        client_id: clientId(),
        body,
        at: Date.now(),
        ...(options.replyTo === undefined ? {} : { reply_to: options.replyTo }),
        ...(options.mentions === undefined ? {} : { mentions: [...options.mentions] }),
        ...(seen === undefined ? {} : { seen }),
      },
      "storing",
    );
    parcel.carry(options.attachments ?? []);
    this.#parcels.set(parcel.entry.client_id, parcel);
    if (parcel.entry.account !== "") this.#store(parcel);
    this.#tell(parcel);
    return { client_id: parcel.entry.client_id, stored: parcel.stored.promise, sent: parcel.sent.promise };
  }

  outgoing(room?: RoomId): Outgoing[] {
    const all = [...this.#parcels.values()];
    return all.filter((parcel) => room === undefined || parcel.entry.room === room).map((parcel) => parcel.shown());
  }

  resend(client_id: string): void {
    const parcel = this.#parcels.get(client_id);
    if (parcel?.phase !== "failed") return;
    const { failed: _failed, ...entry } = parcel.entry;
    this.#forget(parcel);
    // A key that stands for another text is of no use any more; every other may have reached the server once.
    const again = parcel.error?.code === "conflict" ? { ...entry, client_id: clientId() } : entry;
    const fresh = new Parcel({ ...again, at: Date.now() }, "storing");
    for (const [key, file] of parcel.files) fresh.files.set(key, file);
    this.#finished.delete(fresh.entry.client_id);
    this.#parcels.set(fresh.entry.client_id, fresh);
    this.#store(fresh);
    this.#tell(fresh);
  }

  async discard(client_id: string): Promise<void> {
    const parcel = this.#parcels.get(client_id);
    if (!parcel) return;
    this.#uploads.stop(parcel);
    this.#uploads.forget(parcel);
    this.#forget(parcel);
    this.#write(() => this.#uploads.drop(parcel));
    parcel.sent.reject(new RookeryError("stopped", "the message was discarded", { unknown: parcel.phase === "flying" }));
    this.#owner.changed(parcel.shown(), true);
    this.#pump();
    await this.#writes;
  }

  /** Drops everything, here and in the store. */
  async clear(): Promise<void> {
    await this.read(true);
    await Promise.all([...this.#parcels.keys()].map((client_id) => this.discard(client_id)));
  }

  /** Takes over what is in the store and not known here: at first all of it, later what its tab seems to have left. */
  read(all = false): Promise<void> {
    // One after the other: what an older reading found may be done with by the time that a newer one begins.
    this.#reading = this.#reading.then(() => this.#read(all || !this.#loaded));
    return this.#reading;
  }

  async #read(all: boolean): Promise<void> {
    const account = this.#owner.account();
    if (account === undefined) return;
    for (const parcel of this.#parcels.values()) {
      if (parcel.entry.account !== "") continue;
      parcel.entry = { ...parcel.entry, account };
      this.#store(parcel);
    }
    let entries: OutboxEntry[];
    try {
      await this.#writes;
      this.#finished.clear();
      entries = await this.#owner.store.load(account);
    } catch (cause) {
      this.#mayGo = true;
      this.#owner.problem(new RookeryError("unusable", "the outbox cannot be read", { cause }));
      return this.#pump();
    }
    this.#loaded = this.#mayGo = true;
    this.#adopt(entries, all);
    this.#pump();
  }

  /** Takes over entries of the store, all or those that are old; whatever stands before one that is taken goes along. */
  #adopt(entries: readonly OutboxEntry[], all: boolean): void {
    const old = Date.now() - this.#othersMs;
    const end = all ? entries.length : entries.findLastIndex((entry) => entry.at < old) + 1;
    const isNew = (entry: OutboxEntry): boolean => !this.#parcels.has(entry.client_id) && !this.#finished.has(entry.client_id);
    const adopted = entries.slice(0, end).filter(isNew).map((entry) => new Parcel(entry, "waiting"));
    for (const parcel of adopted) parcel.isStored = true;
    if (adopted.length === 0) return;
    const placed = inOrder([...this.#parcels.values()], adopted, entries);
    this.#parcels.clear();
    for (const parcel of placed) this.#parcels.set(parcel.entry.client_id, parcel);
    for (const parcel of adopted) this.#tell(parcel);
  }

  /** The connection has begun: everything without an answer goes out again, in its order. */
  welcomed(): void {
    this.#connected = true;
    void this.read();
    this.#looking ??= setInterval(() => void this.read(), this.#othersMs);
    this.#pump();
  }

  /** The connection is gone: the outcome of what was under way is not known. */
  lost(): void {
    this.#connected = false;
    clearInterval(this.#looking);
    this.#looking = undefined;
    for (const parcel of this.#parcels.values()) {
      if (parcel.phase !== "flying") continue;
      parcel.calm();
      parcel.phase = "waiting";
    }
  }

  /** Nobody waits for an outcome any more; the store keeps what has none. */
  stop(): void {
    this.#uploads.stopAll();
    for (const parcel of this.#parcels.values()) {
      parcel.calm();
      if (parcel.phase === "resting" || parcel.phase === "uploading") parcel.phase = "waiting";
      if (parcel.phase === "failed" || parcel.phase === "sent") continue;
      parcel.sent.reject(new RookeryError("stopped", "the client was stopped", { unknown: true }));
    }
  }

  /** Kept when everything that was to be written to the store is. */
  written(): Promise<void> {
    return this.#writes;
  }

  /** Forgets what belongs to somebody else, without touching the store. */
  leave(): void {
    this.stop();
    this.#parcels.clear();
    this.#loaded = this.#mayGo = false;
  }

  ack(ack: ServerAck): void {
    const parcel = this.#parcels.get(ack.client_id);
    if (!parcel || parcel.entry.room !== ack.room) return;
    this.#pace.worked();
    this.#arrived(parcel, ack.seq, ack.at);
    // Its event may have been told already: then nothing more of it is to come.
    if ((this.#owner.cursor(ack.room) ?? 0) >= ack.seq) this.#leave(parcel);
    else this.#tell(parcel);
    this.#pump();
  }

  /** What kept the messages of a room back may have changed. */
  nudge(room: RoomId): void {
    for (const parcel of this.#parcels.values()) {
      if (parcel.entry.room === room && parcel.phase === "resting") this.#wake(parcel);
    }
  }

  /** Whether the refusal was about a message of ours. */
  nack(nack: ServerNack): boolean {
    const parcel = nack.client_id ? this.#parcels.get(nack.client_id) : undefined;
    if (parcel?.phase !== "flying") return parcel !== undefined;
    parcel.calm();
    parcel.error = ofNack(nack);
    // Files that nobody refers to are collected after a day: so they go once more.
    if (nack.field === "attachments" && parcel.moves++ < MOVES && parcel.startAnew()) {
      parcel.phase = "storing";
      this.#write(() => this.#owner.store.replace(parcel.entry), parcel);
    } else if (nack.retry === "no") this.#failed(parcel, parcel.error);
    else this.#rest(parcel, nack.retry === "same" && ++parcel.moves <= MOVES ? 0 : nack.retry_after_ms);
    this.#tell(parcel);
    this.#pump();
    return true;
  }

  /** An event was told: one of ours needs no answer any more. */
  shown(event: EventFrame): void {
    const parcel = this.#parcels.get(event.client_id);
    if (!parcel || event.kind !== "message" || event.room !== parcel.entry.room || event.from !== this.#owner.user()) return;
    if (parcel.phase !== "sent") this.#arrived(parcel, event.seq, event.at);
    this.#leave(parcel);
    this.#pump();
  }

  #arrived(parcel: Parcel, seq: Seq, at: string): void {
    parcel.calm();
    parcel.phase = "sent";
    parcel.seq = seq;
    parcel.error = undefined;
    this.#uploads.stop(parcel);
    this.#write(() => this.#owner.store.remove(parcel.entry.client_id).then(() => this.#uploads.drop(parcel)));
    this.#finished.add(parcel.entry.client_id);
    parcel.sent.resolve({ room: parcel.entry.room, seq, at, client_id: parcel.entry.client_id });
  }

  #failed(parcel: Parcel, error: RookeryError): void {
    parcel.phase = "failed";
    parcel.entry = { ...parcel.entry, failed: { code: error.code, message: error.message } };
    this.#write(() => this.#owner.store.replace(parcel.entry));
    parcel.sent.reject(error);
  }

  /** It is tried again later; those behind it in its room wait. */
  #rest(parcel: Parcel, ms: number | null | undefined): void {
    const wait = typeof ms === "number" ? this.#pace.asked(ms) : this.#pace.failed();
    parcel.phase = "resting";
    parcel.retryAt = Date.now() + wait;
    parcel.timer = setTimeout(() => this.#wake(parcel), Math.min(wait, 2_000_000_000));
  }

  #wake(parcel: Parcel): void {
    parcel.calm();
    if (parcel.phase === "resting" || parcel.phase === "flying") parcel.phase = "waiting";
    this.#pump();
  }

  /** Sends what is the first of its room, as far as there is room. */
  #pump(): void {
    if (!this.#connected || !this.#mayGo) return;
    let flying = [...this.#parcels.values()].filter((parcel) => parcel.phase === "flying").length;
    const passed = new Set<RoomId>();
    for (const parcel of [...this.#parcels.values()]) {
      if (parcel.phase === "waiting" && parcel.isUnready) {
        parcel.phase = "uploading";
        this.#uploads.begin(parcel);
      }
      // What is still being uploaded does not keep back what was written after it.
      if (parcel.phase === "uploading" || parcel.phase === "sent" || parcel.phase === "failed") continue;
      if (passed.has(parcel.entry.room)) continue;
      passed.add(parcel.entry.room);
      if (parcel.phase !== "waiting") continue;
      if (flying >= FLYING) return;
      flying += 1;
      this.#try(parcel);
    }
  }

  #try(parcel: Parcel): void {
    const seen = this.#owner.cursor(parcel.entry.room);
    if (parcel.entry.seen === undefined && seen !== undefined) {
      // What goes along with the first attempt goes along with all, also in another life.
      parcel.entry = { ...parcel.entry, seen };
      parcel.phase = "storing";
      this.#write(() => this.#owner.store.replace(parcel.entry), parcel);
      return;
    }
    if (!this.#owner.write(parcel.frame())) return;
    parcel.phase = "flying";
    parcel.timer = setTimeout(() => this.#wake(parcel), this.#answerMs);
  }

  #uploaded(parcel: Parcel): void {
    if (parcel.phase !== "uploading") return;
    parcel.phase = "waiting";
    parcel.error = undefined;
    this.#tell(parcel);
    this.#pump();
  }

  #notUploaded(parcel: Parcel, error: RookeryError): void {
    if (parcel.phase !== "uploading") return;
    // Logging in again goes on with it.
    if (error.code === "unauthenticated" || error.code === "stopped") parcel.phase = "waiting";
    else this.#failed(parcel, (parcel.error = error));
    this.#tell(parcel);
  }

  #store(parcel: Parcel): void {
    this.#write(async () => {
      await this.#uploads.keep(parcel);
      await this.#owner.store.add(parcel.entry);
      parcel.isStored = true;
    }, parcel);
  }

  /** Writes to the store after everything else; a parcel that waits for it may go on then. */
  #write(write: () => Promise<void>, parcel?: Parcel): void {
    const done = (): void => {
      if (parcel?.phase !== "storing") return;
      parcel.phase = "waiting";
      if (parcel.entry.attachments) this.#tell(parcel);
      this.#pump();
    };
    this.#writes = this.#writes.then(write).then(
      () => {
        parcel?.stored.resolve();
        done();
      },
      (cause: unknown) => {
        // It is sent all the same; only a reload would lose it.
        const error = new RookeryError("unusable", "the outbox cannot be written", { cause });
        parcel?.stored.reject(error);
        this.#owner.problem(error);
        done();
      },
    );
  }

  #forget(parcel: Parcel): void {
    parcel.calm();
    this.#parcels.delete(parcel.entry.client_id);
    this.#finished.add(parcel.entry.client_id);
    this.#write(() => this.#owner.store.remove(parcel.entry.client_id));
  }

  #leave(parcel: Parcel): void {
    this.#parcels.delete(parcel.entry.client_id);
    this.#owner.changed(parcel.shown(), true);
  }

  #tell(parcel: Parcel): void {
    this.#owner.changed(parcel.shown(), false);
  }
}
