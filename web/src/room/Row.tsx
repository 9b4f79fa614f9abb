// One message, with what stands above it when a day or what is new begins.

import { createMemo, createSignal, For, type JSX, onCleanup, onMount, Show } from "solid-js";
import { useChat } from "../state/chat";
import { Attachments } from "../media/Attachments";
import { Sending } from "../media/Sending";
import { inOneLine } from "../media/words";
import type { Message, Outgoing, UserId } from "../state/wire";
import { clockTime, dayName, isSameDay, wholeTime } from "../text/time";
import { texts } from "../texts";
import { Avatar } from "../ui/Avatar";
import { Icon, type IconName } from "../ui/Icon";
import { Actions, Reactions } from "./Actions";
import { Body } from "./Body";
import { type Conversation, find, type Item, lastUpTo } from "./conversation";
import { Notices } from "./Notices";
import type { Key } from "./rows";

/** Messages of one person within so long stand together. */
const TOGETHER_MS = 5 * 60_000;

interface Props {
  key: Key;
  conversation: Conversation;
  isMarked: boolean;
  mounted: (element: HTMLElement) => () => void;
}

export const isMessage = (item: Item): item is Message => "reactions" in item;
const timeOf = (item: Item): Date => new Date(item.at);

export function Row(props: Props): JSX.Element {
  const chat = useChat();
  let element!: HTMLDivElement;
  onMount(() => onCleanup(props.mounted(element)));
  const [isActive, setActive] = createSignal(false);
  const row = describe(chat, props);
  return (
    <div
      class="row"
      ref={element}
      role="listitem"
      tabindex="-1"
      classList={{ own: row.isOwn(), together: row.isTogether(), marked: props.isMarked }}
      onPointerEnter={() => setActive(true)}
      onPointerLeave={() => setActive(element.contains(document.activeElement))}
      onKeyDown={(event) => keyed(event, element)}
      onFocusIn={() => setActive(true)}
      onFocusOut={(event) => setActive(element.contains(event.relatedTarget as Node | null))}
    >
      <Show when={row.day()}>
        <p class="day"><span>{row.day()}</span></p>
      </Show>
      <Show when={row.beginsNew()}>
        <p class="new"><span>{texts.newLine}</span></p>
      </Show>
      <Show when={row.item()}>
        {(item) => (
          <div class="message">
            <Show when={!row.isOwn()}>
              <Show when={!row.isTogether()} fallback={<span class="avatar-place" />}>
                <Avatar id={row.author()} name={row.name()} />
              </Show>
            </Show>
            <div class="column">
              <Show when={!row.isTogether()}>
                <p class="author" classList={{ heard: row.isOwn() }}><bdi>{row.isOwn() ? texts.you : row.name()}</bdi></p>
              </Show>
              <Bubble item={item()} conversation={props.conversation} isOwn={row.isOwn()} />
              <Show when={message(item())}>
                {(sent) => <Reactions message={sent()} conversation={props.conversation} />}
              </Show>
            </div>
            <Show when={isActive() && message(item())}>
              {(sent) => <Actions message={sent()} isOwn={row.isOwn()} conversation={props.conversation} />}
            </Show>
          </div>
        )}
      </Show>
      <Readers item={row.item()} conversation={props.conversation} />
      <Show when={typeof props.key === "number" && props.key}>{(seq) => <Notices after={seq()} conversation={props.conversation} />}</Show>
    </div>
  );
}

/** What a row shows, as far as that depends on the one before it. */
function describe(chat: ReturnType<typeof useChat>, props: Props) {
  // A row that is about to go shows what it showed.
  const item = createMemo<Item | undefined>((last) => itemOf(props.conversation, props.key) ?? last);
  const before = createMemo(() => previous(props.conversation, props.key));
  const authorOf = (one: Item | undefined): UserId => (one && isMessage(one) ? one.from : (chat.client.user ?? ""));
  const day = createMemo(() => {
    const [now, last] = [item(), before()];
    return now && (!last || !isSameDay(timeOf(now), timeOf(last))) ? dayName(timeOf(now)) : "";
  });
  const beginsNew = createMemo(() => isFirstUnread(props.conversation, item(), before(), chat.client.user));
  const isTogether = createMemo(() => {
    const [now, last] = [item(), before()];
    if (!now || !last || day() !== "" || beginsNew() || authorOf(now) !== authorOf(last)) return false;
    return timeOf(now).getTime() - timeOf(last).getTime() < TOGETHER_MS;
  });
  const author = (): UserId => authorOf(item());
  return { item, day, beginsNew, isTogether, author, isOwn: () => author() === chat.client.user, name: () => chat.people.name(author()) };
}

/** With the focus on the message itself one letter does what a button of it does. */
function keyed(event: KeyboardEvent, row: HTMLElement): void {
  if (event.target !== row || event.ctrlKey || event.metaKey || event.altKey) return;
  const deed = { r: "reply", e: "edit", c: "copy", Delete: "delete", "+": "react", Enter: "react" }[event.key];
  const button = deed && row.querySelector<HTMLElement>(`[data-deed="${deed}"]`);
  if (!button) return;
  event.preventDefault();
  button.click();
  if (deed === "react") queueMicrotask(() => row.querySelector<HTMLElement>(".emojis button")?.focus());
}

const message = (item: Item): Message | undefined => (isMessage(item) && !item.deleted ? item : undefined);

function Bubble(props: { item: Item; conversation: Conversation; isOwn: boolean }): JSX.Element {
  const sent = (): Message | undefined => (isMessage(props.item) ? props.item : undefined);
  const outgoing = (): Outgoing | undefined => (isMessage(props.item) ? undefined : props.item);
  const at = (): Date => timeOf(props.item);
  return (
    <div class="bubble" classList={{ failed: outgoing()?.state === "failed", pending: outgoing()?.state === "pending" }}>
      <Show when={props.item.reply_to}>{(seq) => <Quoted seq={seq()} conversation={props.conversation} />}</Show>
      <Show when={!sent()?.deleted} fallback={<p class="deleted">{texts.deletedMessage}</p>}>
        <Show when={sent()?.attachments?.length ? sent() : undefined}>{(carrying) => <Attachments message={carrying()} conversation={props.conversation} />}</Show>
        <Show when={outgoing()?.attachments?.length ? outgoing() : undefined}>{(carrying) => <Sending outgoing={carrying()} />}</Show>
        <Show when={props.item.body !== ""}><Body text={props.item.body} mentions={props.item.mentions} /></Show>
      </Show>
      <p class="meta">
        <Show when={sent()?.edited_at && !sent()?.deleted}><span>{texts.edited}</span></Show>
        <time datetime={at().toISOString()} title={wholeTime(at())}>{clockTime(at())}</time>
        <Show when={props.isOwn && !sent()?.deleted}><Status item={props.item} conversation={props.conversation} /></Show>
      </p>
      <Show when={outgoing()?.state === "failed" ? outgoing() : undefined}>{(failed) => <Failed outgoing={failed()} />}</Show>
    </div>
  );
}

/** How far one's own message has come. */
function Status(props: { item: Item; conversation: Conversation }): JSX.Element {
  const chat = useChat();
  const readers = createMemo(() => {
    const { item } = props;
    if (!isMessage(item)) return [];
    return [...props.conversation.reads()].filter(([, read]) => read >= item.seq).map(([user]) => user);
  });
  const shown = (): [IconName, string] => {
    const { item } = props;
    if (!isMessage(item) && item.state === "failed") return ["warning", texts.failed];
    if (!isMessage(item) && item.state === "pending") return ["clock", item.error ? texts.waits : texts.sending];
    if (readers().length === 0) return ["check", texts.sent];
    return ["twice", texts.readBy(readers().slice(0, 10).map((user) => chat.people.name(user)).join(", "))];
  };
  return (
    <span class="status" classList={{ read: shown()[0] === "twice" }} role="img" aria-label={shown()[1]} title={shown()[1]}>
      <Icon name={shown()[0]} />
    </span>
  );
}

function Failed(props: { outgoing: Outgoing }): JSX.Element {
  const chat = useChat();
  return (
    <p class="not-sent" role="alert">
      <span>{(texts.problem as Record<string, string>)[props.outgoing.error?.code ?? ""] ?? texts.failed}</span>
      <button onClick={() => chat.client.resend(props.outgoing.client_id)}>{texts.retry}</button>
      <button onClick={() => void chat.client.discard(props.outgoing.client_id).catch(chat.tell)}>{texts.discard}</button>
    </p>
  );
}

/** The message that this one answers; leads to it. */
function Quoted(props: { seq: number; conversation: Conversation }): JSX.Element {
  const chat = useChat();
  const answered = (): Message | undefined => props.conversation.message(props.seq);
  return (
    <button class="quoted" onClick={() => props.conversation.jumpTo(props.seq)}>
      <Show when={answered()} fallback={texts.earlierMessage}>
        {(shown) => (
          <>
            <b><bdi>{chat.people.name(shown().from)}</bdi></b>
            <span dir="auto">{shown().deleted ? texts.deletedMessage : inOneLine(shown())}</span>
          </>
        )}
      </Show>
    </button>
  );
}

/** Who has read up to here and no further, in rooms of several. */
function Readers(props: { item: Item | undefined; conversation: Conversation }): JSX.Element {
  const chat = useChat();
  const isDirect = (): boolean => chat.room(props.conversation.room)?.kind === "direct";
  const readers = createMemo(() => {
    const { item } = props;
    if (!item || !isMessage(item) || isDirect()) return [];
    const { messages } = props.conversation.view();
    const next = messages[lastUpTo(messages, item.seq) + 1]?.seq ?? Infinity;
    return [...props.conversation.reads()].filter(([user, read]) => read >= item.seq && read < next && user !== item.from).map(([user]) => user);
  });
  const names = (): string => texts.readBy(readers().map((user) => chat.people.name(user)).join(", "));
  return (
    <Show when={readers().length > 0}>
      <p class="readers" role="img" aria-label={names()} title={names()}>
        <For each={readers().slice(0, 8)}>{(user) => <Avatar id={user} name={chat.people.name(user)} small />}</For>
      </p>
    </Show>
  );
}

function itemOf({ view }: Conversation, key: Key): Item | undefined {
  const { messages, outgoing } = view();
  return typeof key === "number" ? find(messages, key) : outgoing.find((one) => one.client_id === key);
}

function previous({ view }: Conversation, key: Key): Item | undefined {
  const { messages, outgoing } = view();
  if (typeof key === "number") return messages[lastUpTo(messages, key) - 1];
  const at = outgoing.findIndex((one) => one.client_id === key);
  return at > 0 ? outgoing[at - 1] : messages.at(-1);
}

function isFirstUnread({ readBefore, headBefore, view }: Conversation, item: Item | undefined, before: Item | undefined, me: UserId | undefined): boolean {
  if (!item || !isMessage(item) || item.seq <= readBefore || item.seq > headBefore || item.from === me) return false;
  return before === undefined ? !view().hasOlder : isMessage(before) && before.seq <= readBefore;
}
