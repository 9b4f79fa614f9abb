// One connection after the other: ticket, handshake, `welcome`, heartbeat, and what a close says about coming back.

import type { ConnectionState, Patience } from "../api.js";
import { RookeryError } from "../errors.js";
import type { ClientFrame, ClientHello, ServerFrame, ServerWelcome } from "../generated/frames.js";
import { type Verdict, verdict, verdictOfStatus } from "./closing.js";
import type { Network } from "./network.js";
import { Pace } from "./pace.js";
import type { Ended, OpenSocket, Socket } from "./socket.js";

type Waits = Required<Omit<Patience, "othersMs">>;
const PATIENCE: Waits = { connectMs: 20_000, silenceMs: 25_000, answerMs: 15_000 };
/** After flooding. */
const LATER_MS = 5_000;
/** A server that asked us to go and does not close is left so much after that time. */
const GRACE_MS = 5_000;
const LONGEST_TIMER_MS = 2_000_000_000;

/** What a connection needs from around it. */
export interface ConnectionOwner {
  url: string;
  socket: OpenSocket;
  network: Network;
  random: () => number;
  patience: Patience | undefined;
  token(): string | undefined;
  ticket(signal: AbortSignal): Promise<string>;
  hello(): ClientHello;
  welcomed(welcome: ServerWelcome): void;
  frame(frame: ServerFrame): void;
  /** A connection that had been welcomed is gone. */
  lost(): void;
  changed(state: ConnectionState): void;
  problem(error: RookeryError): void;
}

/** Stays connected from `start` to `stop`. */
export class Connection {
  readonly #owner: ConnectionOwner;
  readonly #pace: Pace;
  readonly #patience: Waits;
  #state: ConnectionState = { state: "stopped" };
  #attempt = 0;
  /** What belongs to the present attempt or connection; aborted when it is over. */
  #present: AbortController | undefined;
  #socket: Socket | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #welcomed = false;
  #heard = 0;
  #asked = 0;
  /** The server asked us to come back at this time. */
  #comeBack: number | undefined;
  #unwatch: (() => void) | undefined;

  constructor(owner: ConnectionOwner) {
    this.#owner = owner;
    this.#pace = new Pace(owner.random);
    this.#patience = { ...PATIENCE, ...owner.patience };
  }

  get state(): ConnectionState {
    return this.#state;
  }

  start(): void {
    if (["connecting", "live", "waiting", "offline"].includes(this.#state.state)) return;
    this.#unwatch ??= this.#owner.network.onChange(() => this.#networkChanged());
    this.#attempt = 0;
    this.#pace.worked();
    this.#connect();
  }

  /** Ends in this state. */
  stop(state: ConnectionState = { state: "stopped" }): void {
    this.#unwatch?.();
    this.#unwatch = undefined;
    this.#over(1000);
    this.#become(state);
  }

  /** Ends a wait, or finds out whether a connection that looks alive is. */
  retryNow(): void {
    if (this.#state.state === "waiting" || this.#state.state === "offline") this.#connect();
    else if (this.#state.state === "live" && this.#asked === 0) this.#ask();
  }

  /** Whether the frame went out; one that did may still be lost. */
  send(frame: ClientFrame): boolean {
    if (!this.#welcomed || !this.#socket) return false;
    this.#socket.send(JSON.stringify(frame));
    return true;
  }

  #become(state: ConnectionState): void {
    this.#state = state;
    this.#owner.changed(state);
  }

  #connect(): void {
    this.#over(1000);
    if (!this.#owner.network.online()) return this.#become({ state: "offline" });
    const present = new AbortController();
    this.#present = present;
    this.#attempt += 1;
    this.#become({ state: "connecting", attempt: this.#attempt });
    if (present.signal.aborted) return;
    const unanswered = (): void => this.#failed(new RookeryError("unreachable", "no answer to the handshake"));
    this.#timer = setTimeout(unanswered, this.#patience.connectMs);
    this.#open(present.signal).catch((error: unknown) => {
      if (present.signal.aborted) return;
      this.#refused(error instanceof RookeryError ? error : new RookeryError("unusable", String(error), { cause: error }));
    });
  }

  async #open(signal: AbortSignal): Promise<void> {
    const token = this.#owner.token();
    if (token === undefined) throw new RookeryError("unauthenticated", "not logged in", { status: 401 });
    const address = new URL(`${this.#owner.url}/api/v1/ws`);
    address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
    if (!this.#owner.socket.sendsToken) address.searchParams.set("ticket", await this.#owner.ticket(signal));
    if (signal.aborted) return;
    const own = this.#owner.socket.open(address.href, token, {
      opened: () => {
        if (!signal.aborted) own.send(JSON.stringify(this.#owner.hello()));
      },
      text: (text) => {
        if (!signal.aborted) this.#text(text);
      },
      closed: (ended) => {
        if (!signal.aborted) this.#closed(ended);
      },
    });
    this.#socket = own;
  }

  #text(text: string): void {
    this.#heard = Date.now();
    this.#asked = 0;
    let frame: ServerFrame;
    try {
      frame = JSON.parse(text) as ServerFrame;
    } catch (cause) {
      return this.#failed(new RookeryError("unreadable", "the server sent a frame that is not JSON", { cause }));
    }
    if (frame.type === "welcome") this.#begin(frame);
    else if (frame.type === "reconnect") this.#told(frame.after_ms);
    else if (frame.type === "error") this.#owner.problem(new RookeryError(frame.code, frame.detail));
    else if (this.#welcomed) this.#owner.frame(frame);
  }

  #begin(welcome: ServerWelcome): void {
    clearTimeout(this.#timer);
    this.#pace.worked();
    this.#attempt = 0;
    this.#welcomed = true;
    this.#beat();
    this.#owner.welcomed(welcome);
    if (this.#welcomed) this.#become({ state: "live", since: new Date() });
  }

  /** Looks from time to time whether the server is still there. */
  #beat(): void {
    const now = Date.now();
    const next = this.#asked > 0 ? this.#asked + this.#patience.answerMs : this.#heard + this.#patience.silenceMs;
    if (next <= now && this.#asked > 0) return this.#failed(new RookeryError("unreachable", "the server fell silent"));
    if (next <= now) return this.#ask();
    this.#timer = setTimeout(() => this.#beat(), next - now);
  }

  #ask(): void {
    clearTimeout(this.#timer);
    this.#asked = Date.now();
    this.send({ type: "ping" });
    this.#beat();
  }

  #told(afterMs: number): void {
    this.#comeBack = Date.now() + this.#pace.asked(afterMs);
    clearTimeout(this.#timer);
    const left = (): void => this.#failed(new RookeryError("unavailable", "the server asked to come back later"));
    this.#timer = setTimeout(left, Math.min(afterMs + GRACE_MS, LONGEST_TIMER_MS));
  }

  #closed({ code, reason, status, retryAfterMs }: Ended): void {
    if (status !== undefined) {
      const details = retryAfterMs === undefined ? { status } : { status, retryAfterMs };
      const word = status === 401 ? "unauthenticated" : status === 403 ? "forbidden" : "unreachable";
      return this.#refused(new RookeryError(word, `the handshake was refused with status ${status}`, details));
    }
    const said = reason === "" ? "" : `: ${reason}`;
    const verdictOfCode = verdict(code);
    const word = verdictOfCode === "log_in_again" ? "unauthenticated" : verdictOfCode === "stay_away" ? "conflict" : "unreachable";
    this.#act(verdictOfCode, new RookeryError(word, `the connection was closed with ${code}${said}`), code);
  }

  /** The handshake or the ticket for it was refused. */
  #refused(error: RookeryError): void {
    if (error.code === "unusable") return this.#act("stay_away", error, 1006);
    this.#act(error.status === undefined ? "come_back" : verdictOfStatus(error.status), error, 1006);
  }

  #act(what: Verdict, reason: RookeryError, closeCode: number): void {
    if (what === "log_in_again") return this.stop({ state: "logged_out", reason });
    if (what === "stay_away") return this.stop({ state: "ended", closeCode, reason });
    this.#failed(reason, what === "come_back_later" ? LATER_MS : (reason.retryAfterMs ?? 0));
  }

  /** The attempt or the connection is over; the next one comes after a wait. */
  #failed(reason: RookeryError, atLeast = 0): void {
    const asked = this.#comeBack === undefined ? undefined : Math.max(this.#comeBack - Date.now(), 0);
    this.#over(1000);
    if (!this.#owner.network.online()) return this.#become({ state: "offline" });
    const wait = Math.min(asked ?? (atLeast > 0 ? this.#pace.asked(atLeast) : this.#pace.failed()), LONGEST_TIMER_MS);
    this.#timer = setTimeout(() => this.#connect(), wait);
    this.#become({ state: "waiting", until: new Date(Date.now() + wait), attempt: this.#attempt, reason });
  }

  #over(closeCode: number): void {
    clearTimeout(this.#timer);
    this.#present?.abort();
    this.#present = undefined;
    this.#socket?.close(closeCode);
    this.#socket = undefined;
    this.#comeBack = undefined;
    this.#asked = 0;
    if (this.#welcomed) {
      this.#welcomed = false;
      this.#owner.lost();
    }
  }

  #networkChanged(): void {
    if (this.#owner.network.online()) this.retryNow();
    else if (this.#state.state !== "offline") {
      this.#over(1000);
      this.#become({ state: "offline" });
    }
  }
}
