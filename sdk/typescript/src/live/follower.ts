// One room as a client follows it: the cursor as a machine without I/O, by section 3 of docs/protocol.md.

import type { EventFrame, RoomId, Seq } from "../generated/live.js";

/** What the caller has to do. */
export interface FollowerEffects {
  /** The next event, each exactly once and in order. */
  show(event: EventFrame): void;
  /** Ask for what is after the cursor, to be live from then on. */
  sync(room: RoomId): void;
  /** Read the log from the cursor on (`paged`), then call `pagedAll`. */
  page(room: RoomId): void;
  /** Call `again` after this long; without a number, after a wait that grows. */
  wait(room: RoomId, ms: number | undefined): void;
  /** All that was missed has been shown. */
  live(room: RoomId): void;
  /** The server's log is shorter than what was shown. */
  forgot(room: RoomId, to: Seq): void;
}

/**
 * `replaying`: the server was asked for what is after the cursor, and `synced` or `gap` is to come. `paging`: the log is
 * being read. `waiting`: the room is asked for again later. `away`: there is no connection.
 */
type Phase = "away" | "replaying" | "live" | "paging" | "waiting";

/** Follows one room. */
export class Follower {
  readonly room: RoomId;
  readonly #effects: FollowerEffects;
  #cursor: Seq;
  #phase: Phase = "away";
  /** Where the cursor was when paging began. */
  #pagedFrom: Seq = 0;

  constructor(room: RoomId, cursor: Seq, effects: FollowerEffects) {
    this.room = room;
    this.#cursor = cursor;
    this.#effects = effects;
  }

  /** The last event that was shown. */
  get cursor(): Seq {
    return this.#cursor;
  }

  get isLive(): boolean {
    return this.#phase === "live";
  }

  /** The connection is gone. */
  lost(): void {
    this.#phase = "away";
  }

  /** The server was told the cursor in `hello`, and replays. */
  resumed(): void {
    this.#phase = "replaying";
  }

  /** The room is live from `head` on without being asked for. */
  appeared(head: Seq): void {
    if (this.#cursor < head) return this.#sync();
    this.#phase = "live";
    this.#effects.live(this.room);
  }

  /** The server was not told the cursor: it is asked now. */
  catchUp(): void {
    this.#sync();
  }

  /** An event that was pushed. One that is not the next shows a hole, and the log says what is in it. */
  event(event: EventFrame): void {
    if (event.seq <= this.#cursor || this.#phase === "away") return;
    if (event.seq === this.#cursor + 1) this.#show(event);
    else if (this.#phase === "live" || this.#phase === "replaying") this.#page();
  }

  /** An event that was read from the log. Here a hole is none: what is left out is not for us, as before joining. */
  paged(event: EventFrame): void {
    if (event.seq > this.#cursor && this.#phase === "paging") this.#show(event);
  }

  /** The log was read to its end. */
  pagedAll(): void {
    if (this.#phase !== "paging") return;
    if (this.#cursor > this.#pagedFrom) this.#sync();
    else this.#wait(undefined);
  }

  /** Reading the log failed. */
  pageFailed(ms: number | undefined): void {
    if (this.#phase === "paging") this.#wait(ms);
  }

  /** The server has replayed up to `seq`. */
  synced(seq: Seq): void {
    if (this.#phase !== "replaying") return;
    if (seq > this.#cursor) {
      this.#page();
    } else {
      this.#phase = "live";
      this.#effects.live(this.room);
    }
  }

  /** Too much is missing to be pushed; or, with `from` beyond `to`, the server has less than we. */
  gap(from: Seq, to: Seq): void {
    if (this.#phase === "away") return;
    if (from > to) {
      this.#cursor = to;
      this.#effects.forgot(this.room, to);
      this.#sync();
    } else if (this.#phase !== "paging") {
      this.#page();
    }
  }

  /** The connection was too slow, and what was queued is lost. */
  lagged(): void {
    if (this.#phase === "live" || this.#phase === "replaying") this.#sync();
  }

  /** The room could not be read, and is not live until it is asked for again. */
  unread(ms: number | undefined): void {
    if (this.#phase === "live" || this.#phase === "replaying") this.#wait(ms);
  }

  /** The wait is over. */
  again(): void {
    if (this.#phase === "waiting") this.#sync();
  }

  #show(event: EventFrame): void {
    this.#cursor = event.seq;
    this.#effects.show(event);
  }

  #sync(): void {
    this.#phase = "replaying";
    this.#effects.sync(this.room);
  }

  #page(): void {
    this.#phase = "paging";
    this.#pagedFrom = this.#cursor;
    this.#effects.page(this.room);
  }

  #wait(ms: number | undefined): void {
    this.#phase = "waiting";
    this.#effects.wait(this.room, ms);
  }
}
