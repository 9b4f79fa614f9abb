// What an open room shows: its timeline, followed once per frame, and what is known about the people in it.

import { type Accessor, createMemo, createSignal, onCleanup } from "solid-js";
import { onceAFrame } from "../frames";
import type { Chat } from "../state/chat";
import type { Member, Message, Outgoing, RoomEvent, RoomId, Seq, Timeline, UserId } from "../state/wire";
import { type Tray, trayOf } from "../media/tray";
import type { Key } from "./rows";

export interface View {
  messages: readonly Message[];
  notices: readonly RoomEvent[];
  outgoing: readonly Outgoing[];
  hasOlder: boolean;
  hasNewer: boolean;
  loading: boolean;
}

export interface Conversation {
  readonly room: RoomId;
  readonly timeline: Timeline;
  readonly view: Accessor<View>;
  /** Up to here it was read when it was opened: the line "new" comes after it. */
  readonly readBefore: Seq;
  /** And up to here there was something to read: what comes later comes before people's eyes. */
  readonly headBefore: Seq;
  readonly members: Accessor<readonly Member[]>;
  readonly reloadMembers: () => void;
  /** How far each of the others has read. */
  readonly reads: Accessor<ReadonlyMap<UserId, Seq>>;
  readonly message: (seq: Seq) => Message | undefined;
  readonly replyTo: Accessor<Message | undefined>;
  readonly setReplyTo: (message: Message | undefined) => void;
  readonly editing: Accessor<Message | undefined>;
  readonly setEditing: (message: Message | undefined) => void;
  /** Asks the list to show a message, wherever in the history it is. */
  readonly jump: Accessor<{ seq: Seq } | undefined>;
  readonly jumpTo: (seq: Seq) => void;
  /** Which picture is looked at by itself. */
  readonly viewing: Accessor<Viewed | undefined>;
  readonly setViewing: (viewed: Viewed | undefined) => void;
  /** The files that go with the next message. */
  readonly tray: Tray;
}

export interface Viewed {
  seq: Seq;
  id: string;
}

export function createConversation(chat: Chat, room: RoomId): Conversation {
  const timeline = chat.client.timeline(room);
  const look = (): View => {
    const { messages, notices, outgoing, hasOlder, hasNewer, loading } = timeline;
    return { messages, notices, outgoing, hasOlder, hasNewer, loading };
  };
  const [view, setView] = createSignal<View>(look());
  timeline.onChange(onceAFrame(() => setView(look())));
  onCleanup(() => timeline.close());

  const { members, reads, reload } = followMembers(chat, room);
  const [replyTo, setReplyTo] = createSignal<Message>();
  const [editing, setEditing] = createSignal<Message>();
  const [jump, setJump] = createSignal<{ seq: Seq }>();
  const [viewing, setViewing] = createSignal<Viewed>();
  return {
    room,
    timeline,
    view,
    readBefore: chat.client.rooms.get(room)?.read ?? 0,
    headBefore: chat.client.rooms.get(room)?.head ?? 0,
    members,
    reloadMembers: reload,
    reads,
    message: (seq) => find(view().messages, seq),
    replyTo,
    setReplyTo,
    editing,
    setEditing,
    jump,
    jumpTo: (seq) => setJump({ seq }),
    viewing,
    setViewing,
    tray: trayOf(room),
  };
}

function followMembers(chat: Chat, room: RoomId) {
  const [members, setMembers] = createSignal<readonly Member[]>([]);
  const [moved, setMoved] = createSignal<ReadonlyMap<UserId, Seq>>(new Map());
  let isClosed = false;
  const load = async (): Promise<void> => {
    const found: Member[] = [];
    for await (const member of chat.client.rest.all((page) => chat.client.rest.rooms.members(room, page))) {
      found.push(member);
      if (isClosed || found.length >= 1_000) break;
    }
    if (isClosed) return;
    chat.people.learn(found.map((member) => member.user));
    setMembers(found);
  };
  const reload = (): void => void load().catch(() => {
    // When the room is live again it is asked again.
  });
  onCleanup(chat.client.on("marks", (marks) => {
    if (marks.room !== room || typeof marks.read !== "number" || marks.user === chat.client.user) return;
    setMoved((before) => new Map(before).set(marks.user, Math.max(before.get(marks.user) ?? 0, marks.read ?? 0)));
  }));
  onCleanup(chat.client.on("event", (event) => {
    if (event.room === room && event.kind === "member") reload();
    // Who writes has read what was there.
    if (event.room === room && event.kind === "message" && event.from !== chat.client.user && moved().size > 0) {
      setMoved((before) => new Map(before).set(event.from, event.seq));
    }
  }));
  onCleanup(chat.client.on("synced", (synced) => {
    if (synced === room) reload();
  }));
  onCleanup(() => {
    isClosed = true;
  });
  reload();
  const reads = createMemo(() => {
    const all = new Map<UserId, Seq>();
    for (const { user, read } of members()) if (user.id !== chat.client.user && typeof read === "number") all.set(user.id, read);
    for (const [user, read] of moved()) all.set(user, Math.max(all.get(user) ?? 0, read));
    return all;
  });
  return { members, reads, reload };
}

export function find<T extends Numbered>(messages: readonly T[], seq: Seq): T | undefined {
  const at = lastUpTo(messages, seq);
  return messages[at]?.seq === seq ? messages[at] : undefined;
}

interface Numbered {
  readonly seq: Seq;
}

/** The place of the last one with this number or an earlier one; -1 if there is none. */
export function lastUpTo(messages: readonly Numbered[], seq: Seq): number {
  let [from, to] = [0, messages.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((messages[middle]?.seq ?? 0) <= seq) from = middle + 1;
    else to = middle;
  }
  return from - 1;
}

export type Item = Message | Outgoing;

export function itemAt(view: View, index: number): Item | undefined {
  return index < view.messages.length ? view.messages[index] : view.outgoing[index - view.messages.length];
}

export function keyAt(view: View, index: number): Key {
  const item = itemAt(view, index);
  return index < view.messages.length ? ((item as Message).seq) : (item?.client_id ?? "");
}
