// One message on its way, as the sender keeps it.

import type { Outgoing } from "../api.js";
import { type ErrorCode, RookeryError } from "../errors.js";
import type { Receipt } from "../generated/people.js";
import type { OutboxEntry } from "./store.js";

/**
 * `storing`: not in the outbox yet. `waiting`: its turn has not come. `flying`: sent, without an answer. `resting`:
 * refused for now, tried again later. `sent` and `failed` are ends.
 */
export type Phase = "storing" | "waiting" | "flying" | "resting" | "sent" | "failed";

/** A promise with its two ends. */
class Settled<T> {
  readonly promise: Promise<T>;
  resolve!: (value: T) => void;
  reject!: (error: unknown) => void;

  constructor() {
    this.promise = new Promise<T>((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    // Who does not ask for the outcome sees it as an event.
    this.promise.catch(() => {});
  }
}

/** One message on its way. */
export class Parcel {
  entry: OutboxEntry;
  phase: Phase;
  seq: number | undefined;
  error: RookeryError | undefined;
  retryAt: number | undefined;
  /** How often in a row it was to be sent again at once. */
  moves = 0;
  timer: ReturnType<typeof setTimeout> | undefined;
  readonly stored = new Settled<void>();
  readonly sent = new Settled<Receipt>();

  constructor(entry: OutboxEntry, phase: Phase) {
    this.entry = entry;
    this.phase = phase;
    if (entry.failed) {
      this.phase = "failed";
      this.error = new RookeryError(entry.failed.code as ErrorCode, entry.failed.message);
    }
  }

  /** Stops whatever would happen to it later. */
  calm(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.retryAt = undefined;
  }

  /** As programs see it. */
  shown(): Outgoing {
    const { room, client_id, body, reply_to, mentions, at } = this.entry;
    return {
      room,
      client_id,
      body,
      at: new Date(at),
      state: this.phase === "sent" || this.phase === "failed" ? this.phase : "pending",
      ...(reply_to === undefined ? {} : { reply_to }),
      ...(mentions === undefined ? {} : { mentions }),
      ...(this.seq === undefined ? {} : { seq: this.seq }),
      ...(this.error === undefined ? {} : { error: this.error }),
      ...(this.retryAt === undefined ? {} : { retryAt: new Date(this.retryAt) }),
    };
  }
}
