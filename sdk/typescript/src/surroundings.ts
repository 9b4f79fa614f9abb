// What is taken from the surroundings when nothing is given: the page's address, its database.

import { RookeryError } from "./errors.js";
import { IndexedDbOutbox } from "./outbox/indexeddb.js";
import { MemoryOutbox, type OutboxStore } from "./outbox/store.js";

/** The address of the server, without a slash at its end. */
export function address(url: string | undefined): string {
  const given = url ?? (globalThis as { location?: { origin?: string } }).location?.origin;
  if (given === undefined) throw new RookeryError("unusable", "`url` is missing: where is the server?");
  let parsed: URL;
  try {
    parsed = new URL(given);
  } catch (cause) {
    throw new RookeryError("unusable", `not an address: ${given}`, { cause });
  }
  if (parsed.protocol !== "http:" && parsed.protocol !== "https:") {
    throw new RookeryError("unusable", `an http or https address is needed: ${given}`);
  }
  return `${parsed.origin}${parsed.pathname.replace(/\/+$/, "")}`;
}

/** An outbox that survives a reload, where there is one. */
export function usualOutbox(): OutboxStore {
  return typeof indexedDB === "undefined" ? new MemoryOutbox() : new IndexedDbOutbox();
}
