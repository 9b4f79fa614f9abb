// A part of a room's messages without a hole, and how pages and events make it: a machine without I/O.

import type { EventFrame, Seq, UserId } from "../generated/live.js";
import type { History, Message, Reaction } from "../generated/people.js";
import { changed, ofEvent, Reactors } from "./message.js";

/** Of a room to which many come and in which nobody speaks so many are kept. */
const MOST_NOTICES = 5_000;

/** A message, and which events are in it. */
interface Kept {
  message: Message;
  /** Every event up to here is in it; some after it may be, which does no harm: each event says how it is, not by how much. */
  asOf: Seq;
  /** Who reacted; `undefined` while only the counts of a page are known. */
  reactors: Reactors | undefined;
}

/** A part of the messages of a room. */
export class MessageWindow {
  /** In ascending `seq`. */
  #kept: Kept[] = [];
  #messages: readonly Message[] | undefined;
  /** In ascending `seq`; a new array whenever there are others. */
  notices: readonly EventFrame[] = [];
  /** Messages of which somebody has to ask who reacted. */
  readonly wanted = new Set<Seq>();
  hasOlder = true;
  hasNewer = false;
  isLoaded = false;

  get messages(): readonly Message[] {
    this.#messages ??= this.#kept.map((kept) => kept.message);
    return this.#messages;
  }

  has(client_id: string): boolean {
    return this.#kept.some((kept) => kept.message.client_id === client_id);
  }

  /** Starts anew from this page. */
  replace(page: History): void {
    this.#kept = [];
    this.notices = [];
    this.wanted.clear();
    this.isLoaded = true;
    this.#put(page);
    this.hasOlder = typeof page.prev === "number";
    this.hasNewer = typeof page.next === "number";
  }

  /** The page before the first message. */
  prepend(page: History): void {
    this.#put(page);
    this.hasOlder = typeof page.prev === "number";
  }

  /** The page after the last message. */
  append(page: History): void {
    this.#put(page);
    this.hasNewer = typeof page.next === "number";
  }

  /** Forgets all but the newest. Whether there were more. */
  trim(newest: number): boolean {
    if (this.#kept.length <= newest) return false;
    this.#kept = newest === 0 ? [] : this.#kept.slice(-newest);
    const first = this.#kept[0]?.message.seq ?? Infinity;
    this.notices = this.notices.filter((notice) => notice.seq > first);
    this.hasOlder = true;
    this.#messages = undefined;
    return true;
  }

  /** Who reacted to a message, as the server has it now. Events that were told since are to be applied again. */
  reacted(seq: Seq, reactions: readonly Reaction[], me: UserId | undefined): void {
    const kept = this.#find(seq);
    if (!kept || kept.message.deleted) return;
    kept.reactors = new Reactors(reactions);
    this.#change(kept, { ...kept.message, reactions: kept.reactors.counts(me) });
  }

  /** How many reacted, where they are too many to be named. */
  counted(message: Message): void {
    const kept = this.#find(message.seq);
    if (kept && !kept.message.deleted) this.#change(kept, { ...kept.message, reactions: message.reactions });
  }

  /** Takes an event. `true`: something changed. The same event twice is as once. */
  apply(event: EventFrame, me: UserId | undefined): boolean {
    if (!this.isLoaded) return false;
    if (event.kind === "message") return this.#add(event);
    if (event.kind === "member" || event.kind === "room") return this.#notice([event], !this.hasNewer);
    const kept = typeof event.target === "number" ? this.#find(event.target) : undefined;
    if (!kept || event.seq <= kept.asOf) return false;
    if (event.kind === "reaction") return this.#react(kept, event, me);
    const message = changed(kept.message, event);
    if (!message) return false;
    if (message.deleted) kept.reactors = new Reactors();
    this.#change(kept, message);
    return true;
  }

  #react(kept: Kept, event: EventFrame, me: UserId | undefined): boolean {
    if (kept.message.deleted) return false;
    if (!kept.reactors) {
      this.wanted.add(kept.message.seq);
      return false;
    }
    kept.reactors.take(event);
    this.#change(kept, { ...kept.message, reactions: kept.reactors.counts(me) });
    return true;
  }

  #add(event: EventFrame): boolean {
    const last = this.#kept.at(-1)?.message.seq ?? 0;
    if (this.hasNewer || event.seq <= last) return false;
    this.#kept.push({ message: ofEvent(event), asOf: event.seq, reactors: new Reactors() });
    this.#messages = undefined;
    return true;
  }

  /** Takes what is not there yet, if it stands where the window is. */
  #notice(events: readonly EventFrame[], isHere: boolean): boolean {
    const known = new Set(this.notices.map((notice) => notice.seq));
    const others = isHere ? events.filter((event) => !known.has(event.seq)) : [];
    if (others.length > 0) this.notices = [...this.notices, ...others].sort((one, other) => one.seq - other.seq).slice(-MOST_NOTICES);
    return others.length > 0;
  }

  #change(kept: Kept, message: Message): void {
    kept.message = message;
    this.#messages = undefined;
  }

  /** Messages that are here already stay as they are: events keep them current. */
  #put(page: History): void {
    const known = new Set(this.#kept.map((kept) => kept.message.seq));
    for (const message of page.items) {
      if (known.has(message.seq)) continue;
      this.#kept.push({ message, asOf: page.head, reactors: message.reactions.length === 0 ? new Reactors() : undefined });
    }
    this.#notice(page.notices ?? [], true);
    this.#kept.sort((one, other) => one.message.seq - other.message.seq);
    this.#messages = undefined;
  }

  #find(seq: Seq): Kept | undefined {
    let [from, to] = [0, this.#kept.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if ((this.#kept[middle] as Kept).message.seq < seq) from = middle + 1;
      else to = middle;
    }
    const found = this.#kept[from];
    return found?.message.seq === seq ? found : undefined;
  }
}
