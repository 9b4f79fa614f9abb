// Which part of a conversation the list shows: where it opens, what is asked for when people scroll, what counts as read.

import { type Accessor, createSignal, untrack } from "solid-js";
import type { Chat } from "../state/chat";
import type { RoomId, Seq, Timeline } from "../state/wire";
import { type Conversation, type Item, itemAt, keyAt, lastUpTo } from "./conversation";
import { heightOf } from "../media/sizes";
import { Scroll, type Stage } from "./scroll";

const PAGE = 100;
/** Whoever is at the end keeps so many in memory: what is older can be loaded again. */
const MOST = 5_000;
/** So near to an end of what is loaded, more is asked for. */
const NEAR = 1_500;
/** So long a message is marked to which one was led. */
const MARKED_MS = 2_000;

export class Pages {
  readonly #chat: Chat;
  readonly #conversation: Conversation;
  readonly #room: RoomId;
  readonly #timeline: Timeline;
  readonly scroll: Scroll;
  /** The rows that are in the page. */
  readonly range: Accessor<readonly [number, number]>;
  readonly isAtEnd: Accessor<boolean>;
  /** Whether it has been opened at its place; before, nothing is shown. */
  readonly isPlaced: Accessor<boolean>;
  /** To which message one was just led. */
  readonly marked: Accessor<Seq | undefined>;
  readonly #setAtEnd: (isAtEnd: boolean) => void;
  readonly #setPlaced: (isPlaced: boolean) => void;
  readonly #setMarked: (seq: Seq | undefined) => void;

  constructor(chat: Chat, conversation: Conversation, elements: Pick<Stage, "frame" | "canvas" | "block">) {
    this.#chat = chat;
    this.#conversation = conversation;
    this.#room = conversation.room;
    this.#timeline = conversation.timeline;
    const isSame = (one: readonly [number, number], other: readonly [number, number]): boolean => one[0] === other[0] && one[1] === other[1];
    const [range, setRange] = createSignal<readonly [number, number]>([0, 0], { equals: isSame });
    this.range = range;
    [this.isAtEnd, this.#setAtEnd] = createSignal(true);
    [this.isPlaced, this.#setPlaced] = createSignal(false);
    [this.marked, this.#setMarked] = createSignal<Seq>();
    this.scroll = new Scroll({
      ...elements,
      show: (from, to) => setRange([from, to]),
      moved: () => this.moved(),
      isWhole: () => !this.#timeline.hasNewer && this.isPlaced(),
    });
  }

  /** Listens to what decides whether a message is seen; opens. What comes back ends it. */
  start(): () => void {
    this.scroll.start();
    const focused = (): void => this.#markRead();
    addEventListener("focus", focused);
    document.addEventListener("visibilitychange", focused);
    const off = this.#chat.client.on("synced", (room) => {
      // It was opened while the server could not be reached.
      if (room === this.#room && this.isPlaced() && this.#timeline.messages.length === 0 && this.#timeline.hasOlder) void this.#begin();
    });
    void this.#begin();
    return () => {
      off();
      removeEventListener("focus", focused);
      document.removeEventListener("visibilitychange", focused);
      this.scroll.stop();
    };
  }

  /** The view changed. */
  relayout(): void {
    const view = untrack(this.#conversation.view);
    const length = view.messages.length + view.outgoing.length;
    this.scroll.update(length, (index) => keyAt(view, index), (index) => estimate(itemAt(view, index)));
    this.moved();
  }

  /** Other rows are in sight than before. */
  moved(): void {
    const view = untrack(this.#conversation.view);
    this.#setAtEnd(this.scroll.isAtEnd && !view.hasNewer);
    if (!this.isPlaced() || view.loading) return;
    if (this.isAtEnd() && view.messages.length > MOST) this.#timeline.trim(MOST / 2);
    else if (view.hasOlder && this.scroll.above < NEAR) void this.#attempt(this.#timeline.loadOlder(PAGE));
    else if (view.hasNewer && this.scroll.below < NEAR) void this.#attempt(this.#timeline.loadNewer(PAGE));
    this.#markRead();
  }

  async toLatest(): Promise<void> {
    if (this.#timeline.hasNewer) await this.#attempt(this.#timeline.load(PAGE));
    drawn(() => this.scroll.showEnd());
  }

  async jumpTo(seq: Seq): Promise<void> {
    if (!untrack(() => this.#conversation.message(seq))) await this.#attempt(this.#timeline.loadAround(seq, PAGE));
    drawn(() => {
      this.scroll.showKey(seq, 0.3);
      this.#setMarked(seq);
      setTimeout(() => this.#setMarked(undefined), MARKED_MS);
    });
  }

  /** Opens at the first message that was not read, or at the end. */
  async #begin(): Promise<void> {
    const { readBefore } = this.#conversation;
    const unread = this.#chat.client.rooms.get(this.#room)?.unread ?? 0;
    await this.#attempt(unread > PAGE ? this.#timeline.loadAround(readBefore + 1, PAGE) : this.#timeline.load(PAGE));
    drawn(() => {
      const { messages } = this.#timeline;
      const first = unread > 0 ? lastUpTo(messages, readBefore) + 1 : -1;
      this.#setPlaced(true);
      if (first >= 0 && first < messages.length) this.scroll.showIndex(first, 0.25);
      else this.scroll.showEnd();
      this.moved();
    });
  }

  #markRead(): void {
    if (!this.isPlaced() || document.visibilityState !== "visible" || !document.hasFocus()) return;
    const { messages } = untrack(this.#conversation.view);
    const last = messages[Math.min(this.scroll.lastInSight(), messages.length - 1)]?.seq;
    // At the end also what is no message is read, such as that somebody joined.
    const upTo = this.isAtEnd() ? undefined : last;
    const read = this.#chat.client.rooms.get(this.#room)?.read ?? 0;
    const head = this.#chat.client.cursors()[this.#room] ?? last ?? 0;
    if ((upTo ?? head) > read) this.#chat.client.markRead(this.#room, upTo);
  }

  async #attempt(loading: Promise<void>): Promise<void> {
    await loading.catch((error: unknown) => this.#chat.tell(error));
  }
}

/** Runs when the view has what the timeline has: it follows once per frame. */
function drawn(run: () => void): void {
  requestAnimationFrame(() => requestAnimationFrame(run));
}

/** How high a message probably is. */
function estimate(item: Item | undefined): number {
  const body = item?.body ?? "";
  const files = item?.attachments ?? [];
  const carried = files.length === 0 ? 0 : heightOf(files.map((file) => ("kind" in file ? file : {}))) - (body === "" ? 22 : 0);
  return 46 + carried + Math.min(Math.floor(body.length / 60) + (body.match(/\n/g)?.length ?? 0), 20) * 22;
}
