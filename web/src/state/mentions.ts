// In which rooms somebody has named me, or answered me, since I last read them.

import { type Accessor, createEffect, createSignal, on, onCleanup } from "solid-js";
import type { Client, RoomId, RoomSummary, Seq, UserId } from "./wire";

/** In so many rooms what was missed is looked through at the start. */
const ROOMS = 20;

export function createMentions(client: Client, rooms: Accessor<readonly RoomSummary[]>): (room: RoomId) => number {
  const [found, setFound] = createSignal<ReadonlyMap<RoomId, readonly Seq[]>>(new Map());
  const add = (room: RoomId, seqs: readonly Seq[]): void => {
    if (seqs.length > 0) setFound((before) => new Map(before).set(room, [...new Set([...(before.get(room) ?? []), ...seqs])]));
  };
  onCleanup(client.on("event", (event) => {
    if (event.kind === "message" && namesMe(event.mentions, event.from, client.user)) add(event.room, [event.seq]);
  }));
  // The server counts what is unread and not what names me: that is looked up once, and followed from there.
  void client.rooms.ready.then(async () => {
    const unread = client.rooms.list().filter((room) => room.unread > 0 && room.kind !== "direct").slice(0, ROOMS);
    for (const { id, read } of unread) add(id, await missed(client, id, read).catch(() => []));
  });
  createEffect(on(rooms, (list) => {
    const stale = list.filter((room) => found().get(room.id)?.some((seq) => seq <= room.read));
    if (stale.length === 0) return;
    setFound((before) => {
      const next = new Map(before);
      for (const { id, read } of stale) next.set(id, (before.get(id) ?? []).filter((seq) => seq > read));
      return next;
    });
  }));
  return (room) => found().get(room)?.length ?? 0;
}

async function missed(client: Client, room: RoomId, read: Seq): Promise<Seq[]> {
  const { items } = await client.rest.rooms.messages(room, { after: read, limit: 200 });
  return items.filter((message) => namesMe(message.mentions, message.from, client.user)).map((message) => message.seq);
}

export function namesMe(mentions: readonly UserId[] | null | undefined, from: UserId, me: UserId | undefined): boolean {
  return me !== undefined && from !== me && (mentions?.includes(me) ?? false);
}
