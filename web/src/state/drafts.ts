// What was begun and not sent, per room, for as long as the tab lives.

import type { RoomId } from "./wire";

const KEY = "rookery.drafts";

function read(): Record<RoomId, string> {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? "{}") as Record<RoomId, string>;
  } catch {
    return {};
  }
}

const kept = read();

export const drafts = {
  get: (room: RoomId): string => kept[room] ?? "",
  set(room: RoomId, text: string): void {
    if (text === "") delete kept[room];
    else kept[room] = text;
    try {
      sessionStorage.setItem(KEY, JSON.stringify(kept));
    } catch {
      // A browser without room for it keeps it until the page goes.
    }
  },
  clear(): void {
    for (const room of Object.keys(kept)) delete kept[room];
    sessionStorage.removeItem(KEY);
  },
};
