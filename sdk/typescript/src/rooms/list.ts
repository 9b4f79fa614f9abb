// The list of my rooms, kept current by events; what events do not say is asked for.

import type { Rooms, RoomSummary } from "../api.js";
import { RookeryError } from "../errors.js";
import type { EventFrame, RoomId, RoomView, Seq, UserId } from "../generated/live.js";
import type { Room } from "../generated/people.js";
import { Pace } from "../live/pace.js";
import type { Page, Paging } from "../rest/paging.js";
import { RoomEntry } from "./entry.js";

/** What the list needs from around it. */
export interface RoomListOwner {
  mine(paging: Paging, signal: AbortSignal): Promise<Page<Room>>;
  room(room: RoomId, signal: AbortSignal): Promise<Room>;
  user(): UserId | undefined;
  isLive(room: RoomId): boolean;
  random: () => number;
  /** Something changed; told once for all that changed in one go. */
  changed(): void;
  problem(error: RookeryError): void;
}

/** So many rooms without details are asked for one by one; more of them are a page. */
const ONE_BY_ONE = 5;

/** The rooms that I am in. */
export class RoomList implements Rooms {
  readonly #owner: RoomListOwner;
  readonly #entries = new Map<RoomId, RoomEntry>();
  readonly #wanted = new Set<RoomId>();
  readonly ready: Promise<void>;
  #isReady: () => void = () => {};
  #sorted: readonly RoomSummary[] | undefined;
  #told = false;
  #connection: AbortController | undefined;
  #fetching = false;

  constructor(owner: RoomListOwner) {
    this.#owner = owner;
    this.ready = new Promise((resolve) => {
      this.#isReady = resolve;
    });
  }

  list(): readonly RoomSummary[] {
    this.#sorted ??= [...this.#entries.values()].map((entry) => entry.summary).sort(newestFirst);
    return this.#sorted;
  }

  get(room: RoomId): RoomSummary | undefined {
    return this.#entries.get(room)?.summary;
  }

  /** The connection has begun. */
  welcomed(views: readonly RoomView[]): void {
    this.lost();
    this.#connection = new AbortController();
    const mine = new Set(views.map((view) => view.room));
    for (const room of [...this.#entries.keys()]) if (!mine.has(room)) this.gone(room);
    for (const view of views) this.appeared(view);
    this.#fetch();
  }

  lost(): void {
    this.#connection?.abort();
    this.#connection = undefined;
    for (const entry of this.#entries.values()) entry.live(false);
    this.#changed();
  }

  clear(): void {
    this.lost();
    this.#entries.clear();
    this.#wanted.clear();
    this.#changed();
  }

  /** A room is mine, or its settings for me changed. Whether it is new. */
  appeared(view: RoomView): boolean {
    const known = this.#entries.get(view.room);
    if (known) known.view(view);
    else this.#entries.set(view.room, new RoomEntry(view, this.#owner.isLive(view.room)));
    const entry = known ?? this.#entries.get(view.room);
    if (!entry?.hasDetails || entry.needsCount) this.#want(view.room);
    this.#changed();
    return known === undefined;
  }

  gone(room: RoomId): boolean {
    this.#wanted.delete(room);
    const was = this.#entries.delete(room);
    if (was) this.#changed();
    return was;
  }

  live(room: RoomId): void {
    this.#entries.get(room)?.live(true);
    this.#changed();
  }

  event(event: EventFrame): void {
    this.#entries.get(event.room)?.event(event, this.#owner.user());
    this.#changed();
  }

  /** My read mark in a room moved. */
  read(room: RoomId, seq: Seq): void {
    const entry = this.#entries.get(room);
    entry?.mark(seq);
    if (entry?.needsCount) this.#want(room);
    this.#changed();
  }

  forgot(room: RoomId, to: Seq): void {
    this.#entries.get(room)?.cut(to);
    this.#want(room);
    this.#changed();
  }

  #want(room: RoomId): void {
    this.#wanted.add(room);
    queueMicrotask(() => this.#fetch());
  }

  #changed(): void {
    this.#sorted = undefined;
    if (this.#told) return;
    this.#told = true;
    queueMicrotask(() => {
      this.#told = false;
      this.#owner.changed();
    });
  }

  /** Asks for what is wanted until nothing is, or the connection is gone. */
  #fetch(): void {
    const signal = this.#connection?.signal;
    if (!signal || this.#fetching) return;
    if (this.#wanted.size === 0) return this.#isReady();
    this.#fetching = true;
    void this.#fetchAll(signal).finally(() => {
      this.#fetching = false;
      if (this.#wanted.size === 0 && !signal.aborted) this.#isReady();
      else this.#fetch();
    });
  }

  async #fetchAll(signal: AbortSignal): Promise<void> {
    const pace = new Pace(this.#owner.random);
    while (this.#wanted.size > 0 && !signal.aborted) {
      try {
        const before = this.#wanted.size;
        await (this.#wanted.size > ONE_BY_ONE ? this.#fetchPages(signal) : this.#fetchOne(signal));
        // What was read is older than what was told: the next look comes a little later.
        if (this.#wanted.size >= before) await pause(pace.failed(), signal);
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof RookeryError)) throw error;
        if (error.code !== "unreachable") this.#owner.problem(error);
        await pause(error.retryAfterMs ?? pace.failed(), signal);
      }
    }
  }

  async #fetchPages(signal: AbortSignal): Promise<void> {
    const asked = new Set(this.#wanted);
    let after: string | null = null;
    do {
      const page: Page<Room> = await this.#owner.mine(after === null ? { limit: 200 } : { limit: 200, after }, signal);
      for (const room of page.items) {
        asked.delete(room.id);
        this.#details(room);
      }
      after = page.next;
    } while (after !== null);
    // A room that was sorted elsewhere between two pages is in none of them: it is asked for by itself.
    const [missing] = asked;
    if (missing !== undefined && this.#wanted.size > ONE_BY_ONE) await this.#fetchOne(signal, missing);
  }

  async #fetchOne(signal: AbortSignal, room: RoomId | undefined = this.#wanted.values().next().value): Promise<void> {
    if (room === undefined) return;
    try {
      this.#details(await this.#owner.room(room, signal));
    } catch (error) {
      const isGone = error instanceof RookeryError && ["not_found", "not_member", "forbidden", "gone"].includes(error.code);
      if (!isGone) throw error;
      // That it is gone is told by a frame of its own.
      this.#wanted.delete(room);
    }
  }

  #details(room: Room): void {
    const entry = this.#entries.get(room.id);
    if (!entry || entry.details(room)) this.#wanted.delete(room.id);
    this.#changed();
  }
}

function newestFirst(one: RoomSummary, other: RoomSummary): number {
  const last = (room: RoomSummary): string => room.lastMessage?.at ?? room.createdAt ?? "";
  return last(other).localeCompare(last(one)) || one.id.localeCompare(other.id);
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    const early = (): void => {
      clearTimeout(timer);
      resolve();
    };
    signal.addEventListener("abort", early, { once: true });
  });
}
