// Keys that work everywhere.

import { onCleanup } from "solid-js";
import type { Chat } from "../state/chat";

export function useKeys(chat: Chat): void {
  const neighbour = (by: number): void => {
    const rooms = chat.rooms();
    const at = rooms.findIndex((room) => room.id === chat.opened());
    const next = rooms[at < 0 ? 0 : Math.min(Math.max(at + by, 0), rooms.length - 1)];
    if (next) chat.open(next.id);
  };
  const nextUnread = (): void => {
    const next = chat.rooms().find((room) => room.unread > 0 && room.id !== chat.opened());
    if (next) chat.open(next.id);
  };
  const keyed = (event: KeyboardEvent): void => {
    const isCommand = event.ctrlKey || event.metaKey;
    if (isCommand && !event.altKey && event.key.toLowerCase() === "k") chat.setPanel("new");
    else if (isCommand && event.key === ",") chat.setPanel("settings");
    else if (event.altKey && !isCommand && event.key === "ArrowUp") neighbour(-1);
    else if (event.altKey && !isCommand && event.key === "ArrowDown") neighbour(1);
    else if (event.altKey && !isCommand && event.key.toLowerCase() === "u") nextUnread();
    else return;
    event.preventDefault();
  };
  addEventListener("keydown", keyed);
  onCleanup(() => removeEventListener("keydown", keyed));
}
