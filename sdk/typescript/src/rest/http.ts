// One request over HTTP and its answer, or an error that says what went wrong.

import { ofProblem, RookeryError } from "../errors.js";
import { ROOT, ROUTES, type Routes } from "../generated/routes.js";

/** An operation of the server. */
export type Operation = keyof Routes;

/** What an operation takes. */
export interface Asked<K extends Operation> {
  path?: Routes[K]["path"];
  query?: Routes[K]["query"];
  body?: Routes[K]["body"];
  /** Bytes in place of a body in JSON. */
  bytes?: Uint8Array<ArrayBuffer>;
  /** The same key and body get the same answer for 24 hours. */
  idempotencyKey?: string;
  /** How long an answer may take, where that is not usual. */
  patienceMs?: number;
  signal?: AbortSignal;
}

/** What HTTP needs to know of its owner. */
export interface HttpOptions {
  url: string;
  fetch: typeof fetch;
  token: () => string | undefined;
  /** The token was refused. */
  loggedOut: (error: RookeryError) => void;
}

/** Here `unauthenticated` may be about a password. */
const PASSWORDS: ReadonlySet<Operation> = new Set<Operation>(["post_logins", "post_me_password", "delete_me"]);
const PATIENCE_MS = 30_000;

/** Asks one server. */
export class Http {
  readonly #options: HttpOptions;

  constructor(options: HttpOptions) {
    this.#options = options;
  }

  /** The answer to one operation; with its status, where that says something. */
  async ask<K extends Operation>(operation: K, asked: Asked<K> = {}): Promise<Routes[K]["answer"]> {
    return (await this.askWithStatus(operation, asked)).answer;
  }

  async askWithStatus<K extends Operation>(
    operation: K,
    asked: Asked<K>,
  ): Promise<{ status: number; answer: Routes[K]["answer"] }> {
    const { status, body } = await this.#answered(operation, asked, "application/json", (response) => response.text());
    return { status, answer: (body === "" ? undefined : readable(body)) as Routes[K]["answer"] };
  }

  /** The bytes that an operation answers, with their type. */
  async blob<K extends Operation>(operation: K, asked: Asked<K>): Promise<Blob> {
    return (await this.#answered(operation, asked, "*/*", (response) => response.blob())).body;
  }

  /** An address under the server's. */
  absolute(path: string): string {
    return new URL(path, `${this.#options.url}/`).href;
  }

  async #answered<K extends Operation, T>(
    operation: K,
    asked: Asked<K>,
    accept: string,
    read: (response: Response) => Promise<T>,
  ): Promise<{ status: number; body: T }> {
    const method = operation.slice(0, operation.indexOf("_")).toUpperCase();
    const template = ROOT + ROUTES[operation];
    const token = this.#options.token();
    const headers: Record<string, string> = { Accept: accept };
    if (token !== undefined) headers["Authorization"] = `Bearer ${token}`;
    if (asked.idempotencyKey !== undefined) headers["Idempotency-Key"] = asked.idempotencyKey;
    const signal = patience(asked.signal, asked.patienceMs ?? PATIENCE_MS);
    const init: RequestInit = { method, headers, signal, cache: "no-store", credentials: "omit" };
    if (asked.bytes !== undefined) {
      headers["Content-Type"] = "application/octet-stream";
      init.body = asked.bytes;
    } else if (asked.body !== undefined) {
      headers["Content-Type"] = "application/json";
      init.body = JSON.stringify(asked.body);
    }
    const { response, body } = await this.#fetched(address(this.#options.url, template, asked), init, asked.signal, read);
    if (response.ok) return { status: response.status, body: body as T };
    const error = ofProblem(readable(body as string) as object, response.status, retryAfter(response.headers));
    if (error.code === "unauthenticated" && !PASSWORDS.has(operation) && token !== undefined && token === this.#options.token()) {
      this.#options.loggedOut(error);
    }
    throw error;
  }

  async #fetched<T>(
    url: string,
    init: RequestInit,
    signal: AbortSignal | undefined,
    read: (response: Response) => Promise<T>,
  ): Promise<{ response: Response; body: T | string }> {
    try {
      const response = await this.#options.fetch(url, init);
      return { response, body: await (response.ok ? read(response) : response.text()) };
    } catch (cause) {
      if (signal?.aborted) throw new RookeryError("stopped", "the request was given up", { cause, unknown: true });
      throw new RookeryError("unreachable", `no answer from the server: ${innermost(cause)}`, { cause });
    }
  }
}

/** The sentence at the bottom of a chain of errors: "connect ECONNREFUSED" says more than "fetch failed". */
function innermost(error: unknown): string {
  let current = error;
  while (current instanceof Error && current.cause instanceof Error) current = current.cause;
  return current instanceof Error ? current.message : String(current);
}

function patience(signal: AbortSignal | undefined, ms: number): AbortSignal {
  const timeout = AbortSignal.timeout(ms);
  if (signal === undefined) return timeout;
  const both = new AbortController();
  for (const one of [signal, timeout]) {
    if (one.aborted) both.abort(one.reason);
    else one.addEventListener("abort", () => both.abort(one.reason), { once: true });
  }
  return both.signal;
}

function address(base: string, template: string, asked: { path?: object; query?: object }): string {
  const values = (asked.path ?? {}) as Record<string, unknown>;
  const path = template.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(values[name])));
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(asked.query ?? {})) {
    if (value !== undefined) query.set(name, String(value));
  }
  const words = query.toString();
  return `${base}${path}${words && `?${words}`}`;
}

function readable(text: string): unknown {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}

/** `Retry-After` in milliseconds, if it is there as a number of seconds. */
export function retryAfter(headers: { get(name: string): string | null }): number | undefined {
  const seconds = Number.parseInt(headers.get("Retry-After") ?? "", 10);
  return Number.isFinite(seconds) ? seconds * 1_000 : undefined;
}
