// Where the page is: behind the `#` of its address, so that a place can be kept and gone back to.

import { createSignal } from "solid-js";

export const PAGES = ["overview", "nodes", "shards", "users", "rooms", "audit", "configuration"] as const;
export type PageName = (typeof PAGES)[number];

export interface Place {
  page: PageName;
  /** A user, a room, a shard, if it is about one. */
  id: string | undefined;
}

function read(): Place {
  const [, name = "", id = ""] = location.hash.split("/");
  const page = PAGES.find((each) => each === name) ?? "overview";
  return { page, id: id === "" ? undefined : decoded(id) };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const [place, setPlace] = createSignal(read(), { equals: (one, other) => one.page === other.page && one.id === other.id });
addEventListener("hashchange", () => setPlace(read()));

export { place };

export const linkTo = (page: PageName, id?: string | number): string => `#/${page}${id === undefined ? "" : `/${encodeURIComponent(id)}`}`;

export function go(page: PageName, id?: string | number): void {
  location.hash = linkTo(page, id);
}
