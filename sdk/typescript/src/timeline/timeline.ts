// The messages of one room for a screen: pages on demand, events as they come, one's own on the way.

import type { Outgoing, Timeline } from "../api.js";
import { RookeryError } from "../errors.js";
import type { EventFrame, RoomId, Seq, UserId } from "../generated/live.js";
import type { History, Message, Reaction } from "../generated/people.js";
import type { Window } from "../rest/rooms.js";
import { MessageWindow } from "./window.js";

/** What a timeline needs from around it. */
export interface TimelineOwner {
  messages(room: RoomId, window: Window): Promise<History>;
  reactions(room: RoomId, seq: Seq): Promise<Reaction[]>;
  outgoing(room: RoomId): readonly Outgoing[];
  user(): UserId | undefined;
  /** From where on events of the room are told; `undefined` while that is not so. */
  toldFrom(room: RoomId): Seq | undefined;
  problem(error: RookeryError): void;
  closed(timeline: RoomTimeline): void;
}

/** The server names so many who reacted to one message, and no more. */
const MOST_REACTIONS = 1_000;

/** The messages of one room. */
export class RoomTimeline implements Timeline {
  readonly room: RoomId;
  readonly #owner: TimelineOwner;
  readonly #listeners = new Set<() => void>();
  readonly #window = new MessageWindow();
  /** Events that were told while pages are being read: they may be missing there. */
  #meanwhile: EventFrame[] = [];
  #reading = 0;
  #asking = false;
  /** One reading after the other. */
  #turn: Promise<void> = Promise.resolve();
  #loading: Promise<void> | undefined;
  #outgoing: readonly Outgoing[] | undefined;
  #upTo: Seq | undefined;
  #told = false;
  #isClosed = false;

  constructor(room: RoomId, owner: TimelineOwner) {
    this.room = room;
    this.#owner = owner;
  }

  get messages(): readonly Message[] {
    return this.#window.messages;
  }

  get notices(): readonly EventFrame[] {
    return this.#window.notices;
  }

  get outgoing(): readonly Outgoing[] {
    this.#outgoing ??= this.#owner.outgoing(this.room).filter((outgoing) => !this.#window.has(outgoing.client_id));
    return this.#outgoing;
  }

  get hasOlder(): boolean {
    return this.#window.hasOlder;
  }

  get hasNewer(): boolean {
    return this.#window.hasNewer;
  }

  get loading(): boolean {
    return this.#reading > 0;
  }

  /** Everything that happened up to here is in what is shown; `undefined` while nothing is. */
  get upTo(): Seq | undefined {
    return this.#upTo;
  }

  load(limit = 50): Promise<void> {
    this.#loading ??= this.#read(() => ({ limit }), (page) => this.#replace(page)).finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  loadOlder(limit = 50): Promise<void> {
    const first = (): Window | undefined => {
      const before = this.#window.messages[0]?.seq;
      return before === undefined || !this.#window.hasOlder ? undefined : { before, limit };
    };
    return this.#window.isLoaded ? this.#read(first, (page) => this.#window.prepend(page)) : this.load(limit);
  }

  loadNewer(limit = 50): Promise<void> {
    const last = (): Window | undefined => {
      const after = this.#window.messages.at(-1)?.seq;
      return after === undefined || !this.#window.hasNewer ? undefined : { after, limit };
    };
    return this.#window.isLoaded ? this.#read(last, (page) => this.#window.append(page)) : this.load(limit);
  }

  loadAround(seq: Seq, limit = 50): Promise<void> {
    return this.#read(() => ({ around: seq, limit }), (page) => this.#replace(page));
  }

  trim(newest: number): void {
    if (this.#window.trim(newest)) this.changed();
  }

  onChange(listener: () => void): () => void {
    const own = (): void => listener();
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  close(): void {
    this.#isClosed = true;
    this.#listeners.clear();
    this.#owner.closed(this);
  }

  /** An event of the room was told. */
  event(event: EventFrame): void {
    if (this.#reading > 0) this.#meanwhile.push(event);
    if (this.#upTo !== undefined) this.#upTo = Math.max(this.#upTo, event.seq);
    if (this.#window.apply(event, this.#owner.user())) this.changed();
    this.live();
  }

  /** The room is live: what was asked for in vain is asked for again. */
  live(): void {
    if (this.#window.wanted.size > 0) this.#askWho().catch((error: unknown) => this.#failed(error));
  }

  /** The server's log is shorter than what was told, or what was told begins after what is shown. */
  reload(): void {
    if (!this.#window.isLoaded) return;
    const limit = Math.min(Math.max(this.#window.messages.length, 50), 200);
    void this.load(limit).catch((error: unknown) => this.#failed(error));
  }

  /** Something that is shown changed. */
  changed(): void {
    this.#outgoing = undefined;
    if (this.#told || this.#isClosed) return;
    this.#told = true;
    queueMicrotask(() => {
      this.#told = false;
      for (const listener of [...this.#listeners]) listener();
    });
  }

  /** Reads a page when those before it are read, and puts into it what was told meanwhile. */
  #read(which: () => Window | undefined, put: (page: History) => void): Promise<void> {
    const reading = this.#turn.then(async () => {
      const window = which();
      if (window === undefined || this.#isClosed) return;
      this.#reading += 1;
      this.changed();
      try {
        const page = await this.#owner.messages(this.room, { ...window, notices: "1" });
        put(page);
        this.#replay();
      } finally {
        this.#ended();
        this.changed();
      }
    });
    this.#turn = reading.catch(() => {});
    return reading;
  }

  #replace(page: History): void {
    this.#window.replace(page);
    this.#upTo = page.head;
    for (const event of this.#meanwhile) this.#upTo = Math.max(this.#upTo, event.seq);
    // It was read before the room began to be followed: what is between is in neither.
    if (page.head < (this.#owner.toldFrom(this.room) ?? 0)) setTimeout(() => this.reload(), 0);
  }

  #replay(): void {
    for (const event of this.#meanwhile) this.#window.apply(event, this.#owner.user());
  }

  /** Asks who reacted to the messages of which only counts are known and somebody reacts. */
  async #askWho(): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    this.#reading += 1;
    try {
      for (const seq of this.#window.wanted) {
        // Taken out before: who reacts while it is being read is among what was told meanwhile.
        this.#window.wanted.delete(seq);
        await this.#askWhoOf(seq);
        this.#replay();
        this.changed();
      }
    } finally {
      this.#asking = false;
      this.#ended();
    }
  }

  async #askWhoOf(seq: Seq): Promise<void> {
    try {
      const reactions = await this.#owner.reactions(this.room, seq);
      if (reactions.length < MOST_REACTIONS) return this.#window.reacted(seq, reactions, this.#owner.user());
      // Too many to be named: the counts have to do, and are asked for whenever somebody reacts.
      const { items } = await this.#owner.messages(this.room, { around: seq, limit: 1 });
      for (const message of items) if (message.seq === seq) this.#window.counted(message);
    } catch (error) {
      // When the room is live again it is asked again.
      this.#window.wanted.add(seq);
      throw error;
    }
  }

  /** A reading has ended. */
  #ended(): void {
    this.#reading -= 1;
    if (this.#reading === 0) this.#meanwhile = [];
  }

  #failed(error: unknown): void {
    if (!(error instanceof RookeryError)) throw error;
    this.#owner.problem(error);
  }
}
