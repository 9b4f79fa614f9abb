// Typing and presence: said and told once, never kept by the server, and shown no longer than they are true.

import type { ClientTyping, ClientWatch, ServerPresence, ServerTyping } from "../generated/frames.js";
import type { EventFrame, RoomId, UserId } from "../generated/live.js";

/** Said again so often while somebody goes on typing. */
const AGAIN_MS = 3_000;
/** Who was not heard of for so long has stopped; the word that says so may have been lost. */
const OVER_MS = 8_000;

/** What signals need from around them. */
export interface SignalsOwner {
  write(frame: ClientTyping | ClientWatch): boolean;
  typing(typing: ServerTyping): void;
  presence(presence: ServerPresence): void;
}

/** Typing and presence, in both directions. */
export class Signals {
  readonly #owner: SignalsOwner;
  readonly #said = new Map<RoomId, number>();
  readonly #typing = new Map<string, { typing: ServerTyping; timer: ReturnType<typeof setTimeout> }>();
  readonly #presence = new Map<UserId, ServerPresence>();
  #watched: { users?: UserId[]; rooms?: RoomId[] } = {};
  #lastId = 0;

  constructor(owner: SignalsOwner) {
    this.#owner = owner;
  }

  /** I type, or stopped. */
  say(room: RoomId, on: boolean): void {
    const last = this.#said.get(room);
    const now = Date.now();
    if (on ? last !== undefined && now - last < AGAIN_MS : last === undefined) return;
    if (on) this.#said.set(room, now);
    else this.#said.delete(room);
    this.#owner.write({ type: "typing", id: `typing-${++this.#lastId}`, room, on });
  }

  watch(what: { users?: readonly UserId[]; rooms?: readonly RoomId[] }): void {
    if (what.users) {
      this.#watched.users = [...what.users];
      const watched = new Set(what.users);
      for (const user of [...this.#presence.keys()]) if (!watched.has(user)) this.#presence.delete(user);
    }
    if (what.rooms) this.#watched.rooms = [...what.rooms];
    this.#ask();
  }

  presence(user: UserId): ServerPresence | undefined {
    return this.#presence.get(user);
  }

  /** The connection has begun: the server knows nothing of whom this device shows. */
  welcomed(): void {
    this.#said.clear();
    this.#ask();
  }

  /** Nobody is known to type, or to be there, without a connection. */
  lost(): void {
    for (const { typing } of [...this.#typing.values()]) this.told({ ...typing, on: false });
    this.#presence.clear();
  }

  clear(): void {
    this.lost();
    this.#watched = {};
    this.#said.clear();
  }

  /** Whether the refusal was about a signal: those are lost in silence. */
  nack(id: string | null | undefined): boolean {
    return id?.startsWith("typing-") === true || id?.startsWith("watch-") === true;
  }

  told(typing: ServerTyping): void {
    const name = `${typing.room} ${typing.user}`;
    const known = this.#typing.get(name);
    clearTimeout(known?.timer);
    this.#typing.delete(name);
    if (typing.on) {
      const timer = setTimeout(() => this.told({ ...typing, on: false }), OVER_MS);
      this.#typing.set(name, { typing, timer });
    }
    // What is told already is not told again.
    if (typing.on !== (known !== undefined)) this.#owner.typing(typing);
  }

  toldPresence(presence: ServerPresence): void {
    this.#presence.set(presence.user, presence);
    this.#owner.presence(presence);
  }

  /** Who has said something does not type it any more. */
  event(event: EventFrame): void {
    const known = event.kind === "message" ? this.#typing.get(`${event.room} ${event.from}`) : undefined;
    if (known) this.told({ ...known.typing, on: false });
  }

  #ask(): void {
    const { users, rooms } = this.#watched;
    if (!users && !rooms) return;
    const frame: ClientWatch = { type: "watch", id: `watch-${++this.#lastId}` };
    if (users) frame.users = users;
    if (rooms) frame.rooms = rooms;
    this.#owner.write(frame);
  }
}
