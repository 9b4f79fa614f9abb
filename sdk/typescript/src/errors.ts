// What can go wrong, as one class with a stable `code`.

import type { Code } from "./generated/live.js";
import type { FieldProblem, Problem } from "./generated/people.js";
import type { ServerNack } from "./generated/frames.js";

/**
 * A word of the server (docs/errors.md), or one of the client's own:
 * `unreachable` (no answer came: whether it happened is not known), `unreadable` (an answer that is none of this
 * contract), `stopped` (the client was stopped or the caller gave up), `unusable` (what was asked for cannot be asked).
 */
export type ErrorCode = Code | "unreachable" | "unreadable" | "stopped" | "unusable";

/** What else is known of an error. */
export interface ErrorDetails {
  /** The HTTP status, if there was an answer over HTTP. */
  status?: number;
  /** How long the server asks to wait before the next attempt. */
  retryAfterMs?: number;
  /** The fields at fault. */
  fields?: readonly FieldProblem[];
  /** The id under which the server's log has the request. */
  requestId?: string;
  /** Whether the outcome of a write is unknown: send it again with the same `client_id`. */
  unknown?: boolean;
  /** What was thrown below. */
  cause?: unknown;
}

/** The one class of errors. Match on `code`; `message` is for people and may change. */
export class RookeryError extends Error {
  override readonly name = "RookeryError";
  readonly code: ErrorCode;
  readonly status: number | undefined;
  readonly retryAfterMs: number | undefined;
  readonly fields: readonly FieldProblem[];
  readonly requestId: string | undefined;
  /** Whether the write may have happened all the same. */
  readonly unknown: boolean;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.status = details.status;
    this.retryAfterMs = details.retryAfterMs;
    this.fields = details.fields ?? [];
    this.requestId = details.requestId;
    this.unknown = details.unknown ?? (code === "unreachable" || details.status === 504);
  }
}

/** The error that a problem document stands for. */
export function ofProblem(problem: Partial<Problem>, status: number, retryAfterMs: number | undefined): RookeryError {
  if (typeof problem.code !== "string") {
    return new RookeryError("unreadable", `status ${status} without a problem document`, { status });
  }
  const details: ErrorDetails = { status, fields: problem.errors ?? [] };
  if (retryAfterMs !== undefined) details.retryAfterMs = retryAfterMs;
  if (problem.request_id !== undefined) details.requestId = problem.request_id;
  const words = [problem.detail ?? problem.title ?? problem.code];
  for (const field of problem.errors ?? []) words.push(`${field.pointer.replace(/^\//, "")} ${field.detail}`);
  return new RookeryError(problem.code, words.join("; "), details);
}

/** The error that a refusal over the WebSocket stands for. */
export function ofNack(nack: ServerNack): RookeryError {
  const details: ErrorDetails = {};
  if (typeof nack.retry_after_ms === "number") details.retryAfterMs = nack.retry_after_ms;
  if (typeof nack.field === "string") details.fields = [{ pointer: `/${nack.field}`, code: nack.code, detail: "" }];
  return new RookeryError(nack.code, nack.detail ?? nack.code, details);
}
