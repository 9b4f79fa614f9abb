// What tells people of messages while they look elsewhere: the title of the tab, and notices of the system.

import { createEffect, createSignal, onCleanup } from "solid-js";
import { inOneLine } from "../media/words";
import { texts } from "../texts";
import { type Chat, titleOf } from "./chat";
import { namesMe } from "./mentions";
import { alerts, canAlert } from "./settings";
import type { RoomEvent, RoomSummary } from "./wire";

/** Follows what comes; gives words for screen readers about what comes into the room that is open. */
export function createAlerts(chat: Chat): () => string {
  const [spoken, speak] = createSignal("");
  createEffect(() => {
    const unread = chat.rooms().reduce((sum, room) => sum + (room.notify === "all" || room.kind === "direct" ? room.unread : chat.mentions(room.id)), 0);
    const opened = chat.room(chat.opened());
    document.title = [unread > 0 ? `(${unread})` : "", opened ? titleOf(opened) : "", texts.product].filter(Boolean).join(" · ").replace(") ·", ")");
  });
  onCleanup(() => {
    document.title = texts.product;
  });
  onCleanup(chat.client.on("event", (event) => {
    if (event.change === "announcement" && chat.opened() === event.room) speak(`${texts.announcement}: ${event.text}`);
    if (event.kind !== "message" || event.from === chat.client.user) return;
    const room = chat.client.rooms.get(event.room);
    // What was missed comes in one go: that is for the list, not for a hundred notices.
    if (!room?.live) return;
    if (chat.opened() === event.room) speak(texts.said(chat.people.name(event.from), inOneLine(event)));
    if (isWanted(room, event, chat.client.user) && !document.hasFocus()) notify(chat, room, event);
  }));
  return spoken;
}

function isWanted(room: RoomSummary, event: RoomEvent, me: string | undefined): boolean {
  return room.notify === "all" || (room.notify === "mentions" && namesMe(event.mentions, event.from, me));
}

function notify(chat: Chat, room: RoomSummary, event: RoomEvent): void {
  if (!alerts() || !canAlert() || Notification.permission !== "granted") return;
  const name = chat.people.name(event.from);
  const title = room.kind === "direct" ? name : texts.inRoom(name, titleOf(room));
  const notice = new Notification(title, { body: inOneLine(event), tag: event.room });
  notice.onclick = () => {
    window.focus();
    chat.open(event.room);
    notice.close();
  };
}
