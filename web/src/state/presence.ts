// Who is there, and who is writing.

import { type Accessor, createEffect, createMemo, createSignal, onCleanup } from "solid-js";
import { createStore } from "solid-js/store";
import type { Client, RoomId, RoomSummary, UserId } from "./wire";

export interface Presence {
  status: "online" | "away" | "offline";
  lastSeen: Date | undefined;
}

export interface Presences {
  of: (user: UserId | undefined) => Presence | undefined;
  typing: (room: RoomId) => readonly UserId[];
  /** Whose presence is to be known beside that of those whom I write with. */
  watch: (users: readonly UserId[]) => void;
}

/** The server lets one watch so many. */
const MOST = 500;
/** Who has stopped and did not say so is not shown as typing for longer. */
const TYPING_MS = 8_000;

export function createPresence(client: Client, rooms: Accessor<readonly RoomSummary[]>, opened: Accessor<RoomId | undefined>): Presences {
  const [known, setKnown] = createStore<Record<UserId, Presence>>({});
  const [others, setOthers] = createSignal<readonly UserId[]>([]);
  onCleanup(client.on("presence", ({ user, status, last_seen }) => {
    setKnown(user, { status, lastSeen: last_seen ? new Date(last_seen) : undefined });
  }));
  const peers = createMemo(() => rooms().flatMap((room) => (room.peer ? [room.peer.id] : [])), undefined, { equals: isSame });
  const watched = createMemo(() => [...new Set([...others(), ...peers()])].slice(0, MOST), undefined, { equals: isSame });
  const typingIn = createMemo(() => {
    const first = opened();
    return [...new Set([...(first === undefined ? [] : [first]), ...rooms().map((room) => room.id)])].slice(0, MOST).sort();
  }, undefined, { equals: isSame });
  createEffect(() => client.watch({ users: watched(), rooms: typingIn() }));
  return { of: (user) => (user === undefined ? undefined : known[user]), typing: followTyping(client), watch: setOthers };
}

function followTyping(client: Client): (room: RoomId) => readonly UserId[] {
  const [typing, setTyping] = createSignal<ReadonlyMap<string, readonly UserId[]>>(new Map());
  const timers = new Map<string, ReturnType<typeof setTimeout>>();
  const set = (room: RoomId, user: UserId, on: boolean): void => {
    const name = `${room} ${user}`;
    clearTimeout(timers.get(name));
    timers.delete(name);
    if (on) timers.set(name, setTimeout(() => set(room, user, false), TYPING_MS));
    const before = typing().get(room) ?? [];
    if (before.includes(user) === on) return;
    setTyping((all) => new Map(all).set(room, on ? [...before, user] : before.filter((one) => one !== user)));
  };
  onCleanup(client.on("typing", ({ room, user, on }) => {
    if (user !== client.user) set(room, user, on);
  }));
  onCleanup(client.on("event", (event) => {
    if (event.kind === "message") set(event.room, event.from, false);
  }));
  onCleanup(() => {
    for (const timer of timers.values()) clearTimeout(timer);
  });
  return (room) => typing().get(room) ?? [];
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((value, at) => value === other[at]);
}
