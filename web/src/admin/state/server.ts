// Requests to the admin endpoint, and what goes wrong with them.

const PATIENCE_MS = 20_000;
const MOST_PER_PAGE = 200;

/** One page of a list. */
export interface Page<T> {
  items: T[];
  next?: string | null;
}

/** A field that the server found fault with. */
interface Field {
  pointer: string;
  detail: string;
}

interface Details {
  status?: number;
  code: string;
  requestId?: string | undefined;
  fields?: Field[];
  /** Whether it may have happened all the same. */
  isUnknown?: boolean;
}

/** A request that was refused, or that no answer came to. */
export class Refusal extends Error {
  readonly status: number | undefined;
  readonly code: string;
  readonly requestId: string | undefined;
  readonly fields: readonly Field[];
  readonly isUnknown: boolean;

  constructor(detail: string, details: Details) {
    super(detail);
    this.status = details.status;
    this.code = details.code;
    this.requestId = details.requestId;
    this.fields = details.fields ?? [];
    this.isUnknown = details.isUnknown ?? false;
  }
}

export type Query = Record<string, string | number | undefined>;

/** The server, by one operator's token. */
export class Server {
  readonly #token: string;
  readonly #turnedAway: () => void;

  /** `turnedAway` is called when the token is good no more. */
  constructor(token: string, turnedAway: () => void) {
    this.#token = token;
    this.#turnedAway = turnedAway;
  }

  async get<T>(path: string, query: Query = {}): Promise<T> {
    const words = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) if (value !== undefined && value !== "") words.set(name, String(value));
    return JSON.parse(await this.#ask("GET", `/admin/v1${path}${words.size > 0 ? `?${words}` : ""}`)) as T;
  }

  /** A list with all its pages. */
  async all<T>(path: string): Promise<T[]> {
    const items: T[] = [];
    let after: string | undefined;
    do {
      const page: Page<T> = await this.get(path, { limit: MOST_PER_PAGE, after });
      items.push(...page.items);
      after = page.next ?? undefined;
    } while (after !== undefined);
    return items;
  }

  async change<T>(method: "POST" | "PATCH" | "DELETE", path: string, body?: unknown): Promise<T> {
    const text = await this.#ask(method, `/admin/v1${path}`, body);
    return (text === "" ? undefined : JSON.parse(text)) as T;
  }

  metrics(): Promise<string> {
    return this.#ask("GET", "/metrics");
  }

  async #ask(method: string, path: string, body?: unknown): Promise<string> {
    const headers: Record<string, string> = { Authorization: `Bearer ${this.#token}` };
    const init: RequestInit = { method, headers, cache: "no-store", credentials: "omit", signal: AbortSignal.timeout(PATIENCE_MS) };
    if (body !== undefined) {
      headers["Content-Type"] = "application/json";
      init.body = JSON.stringify(body);
    }
    let response: Response;
    let text: string;
    try {
      response = await fetch(path, init);
      text = await response.text();
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new Refusal(why, { code: "unreachable", isUnknown: method !== "GET" });
    }
    if (response.ok) return text;
    if (response.status === 401) this.#turnedAway();
    throw refusalOf(response, text);
  }
}

function refusalOf(response: Response, text: string): Refusal {
  const { status } = response;
  const requestId = response.headers.get("X-Request-Id") ?? undefined;
  try {
    const problem = JSON.parse(text) as { code: string; detail?: string; title?: string; request_id?: string; errors?: Field[] };
    return new Refusal(problem.detail ?? problem.title ?? problem.code, {
      status,
      code: problem.code,
      requestId: problem.request_id ?? requestId,
      fields: problem.errors ?? [],
      isUnknown: status >= 500,
    });
  } catch {
    return new Refusal(response.statusText, { status, code: "unreadable", requestId, isUnknown: status >= 500 });
  }
}
