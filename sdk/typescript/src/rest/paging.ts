// Lists that come page by page.

/** Which part of a list. */
export interface Paging {
  /** 1 to 200; 50 when left out. */
  limit?: number;
  /** The `next` of the page before. */
  after?: string;
}

/** A part of a list. */
export interface Page<T> {
  items: T[];
  /** The `after` to go on with; `null` at the end. */
  next: string | null;
}

/** Every item of a list. */
export async function* pages<T>(list: (paging: Paging) => Promise<Page<T>>): AsyncGenerator<T, void, undefined> {
  let after: string | null = null;
  do {
    const page: Page<T> = await list(after === null ? { limit: 200 } : { limit: 200, after });
    yield* page.items;
    after = page.next;
  } while (after !== null);
}
