// One room of the list: what the server said of it, and what events made of that.

import type { RoomSummary } from "../api.js";
import type { EventFrame, RoomView, Seq, UserId } from "../generated/live.js";
import type { Message, Room } from "../generated/people.js";
import { changed, ofEvent } from "../timeline/message.js";
import { Unread } from "./unread.js";

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** A room of the list. */
export class RoomEntry {
  #summary: RoomSummary;
  readonly #unread: Unread;
  /** The last event about the room itself or its members that was told. */
  #settled: Seq = 0;
  /** Whether topic, people and the last message are known. */
  hasDetails = false;

  constructor(view: RoomView, live: boolean) {
    this.#unread = new Unread(view.head, view.read, view.unread);
    const { room: id, kind, name, role, notify, head, read, unread } = view;
    this.#summary = { id, kind, name, role, notify, head, read, unread, archived: false, live };
  }

  get summary(): RoomSummary {
    return this.#summary;
  }

  /** Whether only the server can say how many are unread. */
  get needsCount(): boolean {
    return !this.#unread.isExact;
  }

  /** What the server says of it in `welcome` or `room`. */
  view(view: RoomView): void {
    this.#unread.mark(view.read);
    const { name, role, notify } = view;
    this.#change({ name, role, notify, head: Math.max(view.head, this.#summary.head) });
  }

  /** What the server says of it over REST. `false`: events that were told are not in it, so ask again. */
  details(room: Room): boolean {
    if (typeof room.unread === "number" && typeof room.read === "number") this.#unread.recount(room.head, room.read, room.unread);
    const isCurrent = room.head >= this.#settled;
    const change: Partial<Writable<RoomSummary>> = { head: Math.max(room.head, this.#summary.head), createdAt: room.created_at };
    if (isCurrent) {
      Object.assign(change, { name: room.name, visibility: room.visibility, archived: room.archived, members: room.members });
      change.topic = room.topic ?? "";
      if (room.role) change.role = room.role;
      if (room.notify) change.notify = room.notify;
    }
    if (room.peer) change.peer = room.peer;
    const last = this.#summary.lastMessage;
    if (room.last_message && room.last_message.seq >= (last?.seq ?? 0)) change.lastMessage = room.last_message;
    this.hasDetails = true;
    this.#change(change);
    return isCurrent;
  }

  live(live: boolean): void {
    if (this.#summary.live !== live) this.#change({ live });
  }

  /** My read mark moved, here or elsewhere. */
  mark(read: Seq): void {
    this.#unread.mark(read);
    this.#change({});
  }

  event(event: EventFrame, me: UserId | undefined): void {
    const change: Partial<Writable<RoomSummary>> = { head: Math.max(event.seq, this.#summary.head) };
    if (event.kind === "message") {
      this.#unread.message(event.seq);
      // Who writes has read, and is told of that by nobody.
      if (event.from === me) this.#unread.mark(event.seq);
      change.lastMessage = ofEvent(event);
    } else if (event.kind === "room" || event.kind === "member") {
      this.#settled = event.seq;
      Object.assign(change, event.kind === "room" ? ofRoom(event) : this.#ofMember(event, me));
    } else {
      const last: Message | undefined = this.#summary.lastMessage && changed(this.#summary.lastMessage, event);
      if (last) change.lastMessage = last;
    }
    this.#change(change);
  }

  /** The server's log ends here. */
  cut(to: Seq): void {
    this.#unread.cut(to);
    const { lastMessage, ...rest } = this.#summary;
    this.#summary = lastMessage && lastMessage.seq > to ? rest : this.#summary;
    this.#change({ head: to });
  }

  #ofMember(event: EventFrame, me: UserId | undefined): Partial<Writable<RoomSummary>> {
    const change: Partial<Writable<RoomSummary>> = {};
    const { members } = this.#summary;
    const by = event.change === "joined" ? 1 : ["left", "removed", "banned"].includes(event.change ?? "") ? -1 : 0;
    if (members !== undefined && by !== 0) change.members = Math.max(members + by, 0);
    if (event.user === me && event.role) change.role = event.role;
    return change;
  }

  #change(change: Partial<Writable<RoomSummary>>): void {
    this.#summary = { ...this.#summary, ...change, read: this.#unread.read, unread: this.#unread.count };
  }
}

function ofRoom(event: EventFrame): Partial<Writable<RoomSummary>> {
  const change: Partial<Writable<RoomSummary>> = {};
  if (typeof event.name === "string") change.name = event.name;
  if (typeof event.topic === "string") change.topic = event.topic;
  if (event.visibility) change.visibility = event.visibility;
  if (typeof event.archived === "boolean") change.archived = event.archived;
  return change;
}
