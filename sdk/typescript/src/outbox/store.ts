// Where messages wait that have no answer yet: what such a place promises, and one in memory.

/** A file of a message that waits, as it is kept. Plain data; its bytes are kept beside it. */
export interface OutboxFile {
  /** Its name here. */
  readonly key: string;
  readonly name: string;
  readonly size: number;
  /** What the browser takes it for; for showing it while it waits. */
  readonly type?: string;
  readonly voice?: { readonly duration_ms: number; readonly waveform: number[] };
  /** Its name at the server, once its upload has begun. */
  readonly media?: string;
  /** The server has all of it. */
  readonly ready?: boolean;
  /** Its bytes are in the store. */
  readonly kept?: boolean;
}

/** A message that waits, as it is kept. Plain data. */
export interface OutboxEntry {
  /** Whose: the server's address and the user. */
  readonly account: string;
  readonly room: string;
  readonly client_id: string;
  readonly body: string;
  readonly reply_to?: number;
  readonly mentions?: string[];
  readonly attachments?: readonly OutboxFile[];
  /** The newest event of the room when it was first tried; goes along with every attempt. */
  readonly seen?: number;
  /** When it was written: milliseconds since 1970, by this machine's clock. */
  readonly at: number;
  /** Set when the server refused it for good: it is shown and not sent. */
  readonly failed?: { readonly code: string; readonly message: string };
}

/** Where the bytes of files wait. */
export interface OutboxFiles {
  /** Keeps bytes under this name, durably; `false`: there is no room for them. */
  keep(key: string, bytes: Blob): Promise<boolean>;
  get(key: string): Promise<Blob | undefined>;
  /** Forgets these; does nothing about those that are not there. */
  drop(keys: readonly string[]): Promise<void>;
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
  /** Where the bytes of files are kept; without it they live as long as the client. */
  readonly files?: OutboxFiles;
}

/** An outbox that lives as long as this object. */
export class MemoryOutbox implements OutboxStore {
  readonly #entries = new Map<string, OutboxEntry>();
  readonly #files = new Map<string, Blob>();
  readonly files: OutboxFiles = {
    keep: async (key, bytes) => {
      this.#files.set(key, bytes);
      return true;
    },
    get: async (key) => this.#files.get(key),
    drop: async (keys) => keys.forEach((key) => this.#files.delete(key)),
  };

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
