// What happened in a room between two messages: who came and went, what changed about it, what operators announce.

import { createMemo, For, type JSX, Show } from "solid-js";
import { useChat } from "../state/chat";
import type { RoomEvent, Seq } from "../state/wire";
import { apart, texts } from "../texts";
import { clockTime } from "../text/time";
import { type Conversation, lastUpTo } from "./conversation";

/** So many in one place are told one by one. */
const MOST = 5;

export function Notices(props: { after: Seq; conversation: Conversation }): JSX.Element {
  const chat = useChat();
  const isDirect = (): boolean => chat.room(props.conversation.room)?.kind === "direct";
  const all = createMemo(() => between(props.conversation, props.after, isDirect()), [], { equals: isSame });
  const spared = (): number => Math.max(all().length - MOST, 0);
  const name = (id: string): string => apart(chat.people.name(id));
  return (
    <Show when={all().length > 0}>
      <ul class="happened">
        <Show when={spared() > 0}><li>{texts.andMore(spared())}</li></Show>
        <For each={all().slice(-MOST)}>
          {(event) => (
            <Show when={event.change === "announcement"} fallback={<li>{words(event, name)} <time>{clockTime(new Date(event.at))}</time></li>}>
              <li class="announcement"><b>{texts.announcement}</b> <span dir="auto">{event.text}</span></li>
            </Show>
          )}
        </For>
      </ul>
    </Show>
  );
}

/** Those after a message and before the next one. Who two people are needs no telling. */
function between({ view }: Conversation, after: Seq, isDirect: boolean): readonly RoomEvent[] {
  const { messages, notices } = view();
  const next = messages[lastUpTo(messages, after) + 1]?.seq ?? Infinity;
  const found = notices.slice(lastUpTo(notices, after) + 1, lastUpTo(notices, next) + 1);
  return isDirect ? found.filter(({ change }) => change === "announcement") : found;
}

const isSame = (one: readonly RoomEvent[], other: readonly RoomEvent[]): boolean =>
  one.length === other.length && one[0]?.seq === other[0]?.seq && one.at(-1)?.seq === other.at(-1)?.seq;

function words(event: RoomEvent, name: (id: string) => string): string {
  const { user, from } = event;
  const whom = event.kind === "member" ? (user && user !== from ? name(user) : "") : apart(event.name ?? "");
  return [name(from), texts.happened[deed(event)], whom].join(" ");
}

function deed({ kind, change, user, from, name, topic, visibility, archived, until }: RoomEvent): keyof typeof texts.happened {
  if (change === "joined" && user !== from) return "added";
  if (change === "muted" && !until) return "unmuted";
  if (kind === "member" || change === "created") return change as keyof typeof texts.happened;
  if (typeof name === "string") return "named";
  return typeof topic === "string" ? "topic" : (visibility ?? (archived ? "archived" : "unarchived"));
}
