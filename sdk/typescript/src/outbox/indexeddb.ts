// An outbox in IndexedDB: it survives a reload and a crash of the browser, and tabs share it.

import type { OutboxEntry, OutboxStore } from "./store.js";

const ENTRIES = "entries";

/** A kept entry has its place in the order as its key. */
type Kept = OutboxEntry & { order?: number };

/** An outbox in the database `name` of this origin. */
export class IndexedDbOutbox implements OutboxStore {
  readonly #name: string;
  readonly #factory: IDBFactory;
  #database: Promise<IDBDatabase> | undefined;

  constructor(name = "rookery-outbox", factory: IDBFactory = indexedDB) {
    this.#name = name;
    this.#factory = factory;
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

  /** One transaction; the promise is kept when it is on the disk. */
  async #change(write: (store: IDBObjectStore) => void): Promise<void> {
    const database = await this.#open();
    const transaction = database.transaction(ENTRIES, "readwrite", { durability: "strict" });
    write(transaction.objectStore(ENTRIES));
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
    const request = this.#factory.open(this.#name, 1);
    request.onupgradeneeded = () => {
      const entries = request.result.createObjectStore(ENTRIES, { keyPath: "order", autoIncrement: true });
      entries.createIndex("client_id", "client_id", { unique: true });
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
    return database;
  }
}

function answer<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("IndexedDB gave no reason"));
  });
}
