// My marks on their way: the furthest of each room, not more often than needed, until the server has them.

import type { ClientMark, ServerNack } from "../generated/frames.js";
import type { RoomId, RoomView, Seq } from "../generated/live.js";

/** Marks of one room go out at most once in this time. */
const EVERY_MS = 400;

/** So many marks that were sent are remembered. */
const REMEMBERED = 256;

/** What marks need from around them. */
export interface MarksOwner {
  /** Whether the frame went out. */
  write(frame: ClientMark): boolean;
}

interface Wanted {
  read: Seq;
  delivered: Seq;
  sentRead: Seq;
  sentDelivered: Seq;
  timer: ReturnType<typeof setTimeout> | undefined;
}

/** Sends marks. They only move forwards. */
export class Marks {
  readonly #owner: MarksOwner;
  readonly #wanted = new Map<RoomId, Wanted>();
  /** The rooms of the marks that were sent last; only refusals have answers. */
  readonly #sent = new Map<string, RoomId>();
  #lastId = 0;

  constructor(owner: MarksOwner) {
    this.#owner = owner;
  }

  move(room: RoomId, to: { read?: Seq; delivered?: Seq }): void {
    const wanted = this.#of(room);
    wanted.read = Math.max(wanted.read, to.read ?? 0);
    wanted.delivered = Math.max(wanted.delivered, to.delivered ?? 0);
    this.#soon(room, wanted, 0);
  }

  /** The server moves the mark by itself, a little later; if it dies before, the mark is sent after all. */
  follows(room: RoomId, read: Seq): void {
    const wanted = this.#of(room);
    wanted.read = Math.max(wanted.read, read);
    wanted.sentRead = Math.max(wanted.sentRead, read);
  }

  /** The connection has begun: what the server has not is sent again. */
  welcomed(views: readonly RoomView[]): void {
    for (const view of views) {
      const wanted = this.#wanted.get(view.room);
      if (!wanted) continue;
      wanted.sentRead = view.read;
      wanted.sentDelivered = view.delivered;
      this.#soon(view.room, wanted, 0);
    }
  }

  lost(): void {
    for (const wanted of this.#wanted.values()) {
      clearTimeout(wanted.timer);
      wanted.timer = undefined;
    }
  }

  gone(room: RoomId): void {
    clearTimeout(this.#wanted.get(room)?.timer);
    this.#wanted.delete(room);
  }

  clear(): void {
    for (const room of [...this.#wanted.keys()]) this.gone(room);
  }

  /** Whether the refusal was about a mark of ours. */
  nack(nack: ServerNack): boolean {
    if (!nack.id?.startsWith("mark-")) return false;
    const room = this.#sent.get(nack.id);
    const wanted = room === undefined ? undefined : this.#wanted.get(room);
    if (!wanted || room === undefined) return true;
    if (nack.retry === "no") {
      this.gone(room);
      return true;
    }
    wanted.sentRead = wanted.sentDelivered = 0;
    clearTimeout(wanted.timer);
    wanted.timer = undefined;
    this.#soon(room, wanted, nack.retry_after_ms ?? EVERY_MS);
    return true;
  }

  #of(room: RoomId): Wanted {
    const known = this.#wanted.get(room);
    if (known) return known;
    const fresh: Wanted = { read: 0, delivered: 0, sentRead: 0, sentDelivered: 0, timer: undefined };
    this.#wanted.set(room, fresh);
    return fresh;
  }

  #soon(room: RoomId, wanted: Wanted, ms: number): void {
    if (wanted.timer !== undefined) return;
    wanted.timer = setTimeout(() => {
      wanted.timer = undefined;
      if (this.#send(room, wanted)) this.#soon(room, wanted, EVERY_MS);
    }, ms);
  }

  /** Whether something was sent: then the next look comes a little later. */
  #send(room: RoomId, wanted: Wanted): boolean {
    const frame: ClientMark = { type: "mark", id: `mark-${++this.#lastId}`, room };
    if (wanted.read > wanted.sentRead) frame.read = wanted.read;
    if (wanted.delivered > wanted.sentDelivered) frame.delivered = wanted.delivered;
    if (frame.read === undefined && frame.delivered === undefined) return false;
    if (!this.#owner.write(frame)) return false;
    this.#sent.set(frame.id as string, room);
    for (const id of this.#sent.keys()) {
      if (this.#sent.size <= REMEMBERED) break;
      this.#sent.delete(id);
    }
    wanted.sentRead = wanted.read;
    wanted.sentDelivered = wanted.delivered;
    return true;
  }
}
