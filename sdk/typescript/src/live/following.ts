// All rooms as a client follows them: who is asked for what, how many at once, and what is tried again when.

import { ofNack, RookeryError } from "../errors.js";
import type { ClientSync, ServerNack, ServerRoom, ServerWelcome } from "../generated/frames.js";
import type { EventFrame, RoomId, RoomView, Seq } from "../generated/live.js";
import type { EventPage } from "../generated/people.js";
import { Follower, type FollowerEffects } from "./follower.js";
import { Pace } from "./pace.js";
import { Turns } from "./turns.js";

/** At most so many `sync`s without an answer; the server takes 64 of these and of writes together. */
const SYNCS = 16;
const PAGERS = 4;

/** What following needs from around it. */
export interface FollowingOwner {
  write(frame: ClientSync): void;
  events(room: RoomId, after: Seq, signal: AbortSignal): Promise<EventPage>;
  random: () => number;
  show(event: EventFrame): void;
  appeared(room: RoomView): void;
  /** From where to tell the events of a room that is new: its head, or the end of what a timeline already shows. */
  startFrom(room: RoomView): Seq;
  gone(room: RoomId): void;
  live(room: RoomId): void;
  forgot(room: RoomId, to: Seq): void;
  problem(error: RookeryError): void;
}

/** Follows every room of mine. */
export class Following implements FollowerEffects {
  readonly #owner: FollowingOwner;
  readonly #followers = new Map<RoomId, Follower>();
  /** Where the followers began. */
  readonly #starts = new Map<RoomId, Seq>();
  readonly #paces = new Map<RoomId, Pace>();
  readonly #timers = new Map<RoomId, ReturnType<typeof setTimeout>>();
  /** The `sync`s without an answer, by their ids. */
  readonly #asked = new Map<string, RoomId>();
  readonly #syncs = new Turns(SYNCS);
  readonly #pagers = new Turns(PAGERS);
  #lastId = 0;
  #connection: AbortController | undefined;

  constructor(owner: FollowingOwner, cursors: Readonly<Record<RoomId, Seq>>) {
    this.#owner = owner;
    for (const [room, cursor] of Object.entries(cursors)) {
      this.#followers.set(room, new Follower(room, cursor, this));
      this.#starts.set(room, cursor);
    }
  }

  cursors(): Record<RoomId, Seq> {
    return Object.fromEntries([...this.#followers.values()].map((follower) => [follower.room, follower.cursor]));
  }

  /** As many cursors as fit into so many bytes; the other rooms are asked for after `welcome`. */
  cursorsWithin(bytes: number): Record<RoomId, Seq> {
    let left = bytes;
    // Quotes, colon and comma; ids and numbers are ASCII.
    const fits = ([room, cursor]: [RoomId, Seq]): boolean => (left -= room.length + String(cursor).length + 4) >= 0;
    return Object.fromEntries(Object.entries(this.cursors()).filter(fits));
  }

  cursor(room: RoomId): Seq | undefined {
    return this.#followers.get(room)?.cursor;
  }

  /** From where on events of the room are told. */
  start(room: RoomId): Seq | undefined {
    return this.#starts.get(room);
  }

  isLive(room: RoomId): boolean {
    return this.#followers.get(room)?.isLive ?? false;
  }

  /** The connection has begun: what was told in `hello` is replayed, the rest is live from its head. */
  welcomed(welcome: ServerWelcome): void {
    this.lost();
    this.#connection = new AbortController();
    const mine = new Set(welcome.rooms.map((view) => view.room));
    for (const room of [...this.#followers.keys()]) if (!mine.has(room)) this.#drop(room);
    for (const view of welcome.rooms) {
      const known = this.#followers.get(view.room);
      if (known && welcome.resume[view.room] !== undefined) known.resumed();
      else if (known) known.catchUp();
      else this.#begin(view);
    }
  }

  /** The connection is gone; what was asked for will not be answered. */
  lost(): void {
    this.#connection?.abort();
    this.#connection = undefined;
    this.#asked.clear();
    this.#syncs.clear();
    this.#pagers.clear();
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    for (const follower of this.#followers.values()) follower.lost();
  }

  /** Forgets every room. */
  clear(): void {
    this.lost();
    for (const room of [...this.#followers.keys()]) this.#drop(room);
  }

  event(event: EventFrame): void {
    this.#followers.get(event.room)?.event(event);
  }

  /** A room appeared, changed for me or is gone. */
  notice(notice: ServerRoom): void {
    if ("gone" in notice) this.#drop(notice.room);
    else if (this.#followers.has(notice.room)) this.#owner.appeared(notice);
    else this.#begin(notice);
  }

  synced(room: RoomId, seq: Seq, id: string | null | undefined): void {
    if (this.#answered(room, id)) this.#followers.get(room)?.synced(seq);
  }

  gap(room: RoomId, from: Seq, to: Seq, id: string | null | undefined): void {
    if (this.#answered(room, id)) this.#followers.get(room)?.gap(from, to);
  }

  lagged(rooms: Readonly<Record<RoomId, Seq>>): void {
    for (const room of Object.keys(rooms)) this.#followers.get(room)?.lagged();
  }

  /** Takes a refusal that is about reading a room: the answer to a `sync`, or one that answers nothing of ours. */
  nack(nack: ServerNack): boolean {
    const asked = typeof nack.id === "string" ? this.#asked.get(nack.id) : undefined;
    const room = asked ?? nack.room ?? undefined;
    if (room === undefined || (asked === undefined && (nack.id || nack.client_id))) return false;
    if (asked !== undefined && !this.#answered(room, nack.id)) return true;
    if (nack.retry === "no") this.#owner.problem(ofNack(nack));
    this.#followers.get(room)?.unread(nack.retry === "same" ? 0 : (nack.retry_after_ms ?? undefined));
    return true;
  }

  // What followers want done.

  show(event: EventFrame): void {
    this.#paces.get(event.room)?.worked();
    this.#owner.show(event);
  }

  sync(room: RoomId): void {
    const connection = this.#connection;
    this.#syncs.take(room, () => {
      const follower = this.#followers.get(room);
      if (!follower || connection !== this.#connection) return this.#syncs.done(room);
      const id = `sync-${++this.#lastId}`;
      this.#asked.set(id, room);
      this.#owner.write({ type: "sync", id, room, after: follower.cursor });
    });
  }

  page(room: RoomId): void {
    const signal = this.#connection?.signal;
    const follower = this.#followers.get(room);
    if (!signal || !follower) return;
    this.#pagers.take(room, () => {
      void this.#pageAll(follower, signal).finally(() => {
        if (!signal.aborted) this.#pagers.done(room);
      });
    });
  }

  wait(room: RoomId, ms: number | undefined): void {
    clearTimeout(this.#timers.get(room));
    const pace = this.#paces.get(room) ?? new Pace(this.#owner.random);
    this.#paces.set(room, pace);
    const wait = ms ?? pace.failed();
    this.#timers.set(
      room,
      setTimeout(() => this.#followers.get(room)?.again(), wait),
    );
  }

  live(room: RoomId): void {
    this.#paces.delete(room);
    this.#owner.live(room);
  }

  forgot(room: RoomId, to: Seq): void {
    this.#owner.forgot(room, to);
  }

  async #pageAll(follower: Follower, signal: AbortSignal): Promise<void> {
    try {
      for (;;) {
        const page = await this.#owner.events(follower.room, follower.cursor, signal);
        if (signal.aborted) return;
        for (const event of page.items) follower.paged(event);
        // The cursor stands still when the follower has been told of something else meanwhile.
        if (typeof page.next !== "number" || follower.cursor < page.next) return follower.pagedAll();
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof RookeryError)) throw error;
      if (error.code !== "unreachable") this.#owner.problem(error);
      follower.pageFailed(error.retryAfterMs);
    }
  }

  /** Whether this answers the last question about the room; a replay that `hello` asked for has no id. */
  #answered(room: RoomId, id: string | null | undefined): boolean {
    const latest = [...this.#asked.entries()].filter(([, asked]) => asked === room).at(-1)?.[0];
    if (typeof id !== "string") return latest === undefined;
    if (latest !== id) return this.#asked.delete(id) && false;
    for (const [other, asked] of this.#asked) if (asked === room) this.#asked.delete(other);
    this.#syncs.done(room);
    return true;
  }

  #begin(view: RoomView): void {
    const follower = new Follower(view.room, Math.min(this.#owner.startFrom(view), view.head), this);
    this.#followers.set(view.room, follower);
    this.#starts.set(view.room, follower.cursor);
    this.#owner.appeared(view);
    follower.appeared(view.head);
  }

  #drop(room: RoomId): void {
    this.#followers.get(room)?.lost();
    this.#followers.delete(room);
    this.#starts.delete(room);
    this.#paces.delete(room);
    clearTimeout(this.#timers.get(room));
    this.#timers.delete(room);
    for (const [id, asked] of this.#asked) if (asked === room) this.#asked.delete(id);
    this.#syncs.done(room);
    this.#owner.gone(room);
  }
}
