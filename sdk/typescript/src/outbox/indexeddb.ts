// An outbox in IndexedDB: it survives a reload and a crash of the browser, and tabs share it.

import type { OutboxEntry, OutboxFiles, OutboxStore } from "./store.js";

const ENTRIES = "entries";
const FILES = "files";
/** Bytes of files that are kept, of all messages together. */
const MOST = 100_000_000;
/** So old bytes that belong to no message were left by a page that ended in between. */
const LEFT_MS = 60 * 60_000;

/** A kept entry has its place in the order as its key. */
type Kept = OutboxEntry & { order?: number };

/** The bytes of a file; by its size it is found how much there is without reading any. */
interface KeptFile {
  key: string;
  size: number;
  at: number;
  bytes: Blob;
}

/** An outbox in the database `name` of this origin. */
export class IndexedDbOutbox implements OutboxStore {
  readonly #name: string;
  readonly #factory: IDBFactory;
  readonly #most: number;
  #database: Promise<IDBDatabase> | undefined;
  readonly files: OutboxFiles = {
    keep: (key, bytes) => this.#keep(key, bytes),
    get: async (key) => {
      const files = (await this.#open()).transaction(FILES).objectStore(FILES);
      return ((await answer(files.get(key))) as KeptFile | undefined)?.bytes;
    },
    drop: (keys) => this.#change((_, files) => keys.forEach((key) => void files.delete(key))),
  };

  /** `mostBytes`: of files, of all messages together. */
  constructor(name = "rookery-outbox", factory: IDBFactory = indexedDB, mostBytes = MOST) {
    this.#name = name;
    this.#factory = factory;
    this.#most = mostBytes;
  }

  async add(entry: OutboxEntry): Promise<void> {
    await this.#change((store) => void store.add(entry));
  }

  async replace(entry: OutboxEntry): Promise<void> {
    await this.#change((store) => {
      const found = store.index("client_id").openCursor(entry.client_id);
      found.onsuccess = () => found.result?.update({ ...entry, order: (found.result.value as Kept).order });
    });
  }

  async remove(client_id: string): Promise<void> {
    await this.#change((store) => {
      const found = store.index("client_id").getKey(client_id);
      found.onsuccess = () => {
        if (found.result !== undefined) store.delete(found.result);
      };
    });
  }

  async load(account: string): Promise<OutboxEntry[]> {
    const database = await this.#open();
    const all = await answer(database.transaction(ENTRIES).objectStore(ENTRIES).getAll() as IDBRequest<Kept[]>);
    // Keys ascend in the order of adding, and `getAll` goes by key.
    return all.filter((entry) => entry.account === account).map(({ order: _order, ...entry }) => entry);
  }

  /** Closes the database; the next use opens it again. */
  async close(): Promise<void> {
    const database = this.#database;
    this.#database = undefined;
    (await database)?.close();
  }

  async #keep(key: string, bytes: Blob): Promise<boolean> {
    let isKept = false;
    await this.#change((_, files) => {
      let sum = bytes.size;
      const sizes = files.index("size").openKeyCursor();
      sizes.onsuccess = () => {
        const { result } = sizes;
        if (result) {
          sum += result.key as number;
          return result.continue();
        }
        isKept = sum <= this.#most;
        if (isKept) files.put({ key, size: bytes.size, at: Date.now(), bytes } satisfies KeptFile);
      };
    });
    return isKept;
  }

  /** One transaction; the promise is kept when it is on the disk. */
  async #change(write: (entries: IDBObjectStore, files: IDBObjectStore) => void): Promise<void> {
    const database = await this.#open();
    const transaction = database.transaction([ENTRIES, FILES], "readwrite", { durability: "strict" });
    write(transaction.objectStore(ENTRIES), transaction.objectStore(FILES));
    await new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error ?? new Error("the transaction was aborted"));
    });
  }

  #open(): Promise<IDBDatabase> {
    this.#database ??= this.#opened().catch((error: unknown) => {
      this.#database = undefined;
      throw error;
    });
    return this.#database;
  }

  async #opened(): Promise<IDBDatabase> {
    const request = this.#factory.open(this.#name, 2);
    request.onupgradeneeded = ({ oldVersion }) => {
      if (oldVersion < 1) {
        const entries = request.result.createObjectStore(ENTRIES, { keyPath: "order", autoIncrement: true });
        entries.createIndex("client_id", "client_id", { unique: true });
      }
      request.result.createObjectStore(FILES, { keyPath: "key" }).createIndex("size", "size");
    };
    const database = await answer(request);
    const forget = (): void => {
      this.#database = undefined;
    };
    database.onclose = forget;
    // Another version of this program wants to change the database: do not stand in its way.
    database.onversionchange = () => {
      forget();
      database.close();
    };
    sweep(database);
    return database;
  }
}

/** Removes bytes that belong to no message: a page may end between keeping them and adding it. */
function sweep(database: IDBDatabase): void {
  const transaction = database.transaction([ENTRIES, FILES], "readwrite");
  const entries = transaction.objectStore(ENTRIES).getAll() as IDBRequest<Kept[]>;
  entries.onsuccess = () => {
    const known = new Set(entries.result.flatMap((entry) => entry.attachments ?? []).map((file) => file.key));
    const files = transaction.objectStore(FILES).openCursor();
    files.onsuccess = () => {
      const { result } = files;
      if (!result) return;
      const { key, at } = result.value as KeptFile;
      if (!known.has(key) && at < Date.now() - LEFT_MS) result.delete();
      result.continue();
    };
  };
}

function answer<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("IndexedDB gave no reason"));
  });
}
