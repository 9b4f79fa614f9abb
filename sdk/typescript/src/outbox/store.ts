// Where messages wait that have no answer yet: what such a place promises, and one in memory.

/** A message that waits, as it is kept. Plain data. */
export interface OutboxEntry {
  /** Whose: the server's address and the user. */
  readonly account: string;
  readonly room: string;
  readonly client_id: string;
  readonly body: string;
  readonly reply_to?: number;
  readonly mentions?: string[];
  /** The newest event of the room when it was first tried; goes along with every attempt. */
  readonly seen?: number;
  /** When it was written: milliseconds since 1970, by this machine's clock. */
  readonly at: number;
  /** Set when the server refused it for good: it is shown and not sent. */
  readonly failed?: { readonly code: string; readonly message: string };
}

/**
 * A place for an outbox. Several clients (tabs) may share one: a message that two of them send is one message, because
 * its `client_id` is the same, and both send those of a room in the same order.
 */
export interface OutboxStore {
  /** Adds an entry behind all others, durably before the promise is kept. */
  add(entry: OutboxEntry): Promise<void>;
  /** Replaces the entry with this `client_id` in its place; does nothing if it is gone. */
  replace(entry: OutboxEntry): Promise<void>;
  /** Removes an entry; does nothing if it is gone. */
  remove(client_id: string): Promise<void>;
  /** All entries of an account, in the order in which they were added. */
  load(account: string): Promise<OutboxEntry[]>;
}

/** An outbox that lives as long as this object. */
export class MemoryOutbox implements OutboxStore {
  readonly #entries = new Map<string, OutboxEntry>();

  async add(entry: OutboxEntry): Promise<void> {
    this.#entries.set(entry.client_id, entry);
  }

  async replace(entry: OutboxEntry): Promise<void> {
    if (this.#entries.has(entry.client_id)) this.#entries.set(entry.client_id, entry);
  }

  async remove(client_id: string): Promise<void> {
    this.#entries.delete(client_id);
  }

  async load(account: string): Promise<OutboxEntry[]> {
    return [...this.#entries.values()].filter((entry) => entry.account === account);
  }
}
