// An open conversation: who it is with, what was said, and where to write.

import { createEffect, createSignal, type JSX, lazy, onCleanup, Show, Suspense } from "solid-js";
import { player } from "../media/player";
import { filesOf } from "../media/tray";
import { Details } from "../panels/Details";
import { titleOf, useChat } from "../state/chat";
import type { RoomId, RoomSummary } from "../state/wire";
import { shortTime } from "../text/time";
import { texts } from "../texts";
import { Avatar } from "../ui/Avatar";
import { Icon } from "../ui/Icon";
import { Composer } from "./Composer";
import { createConversation } from "./conversation";
import { List } from "./List";

const Viewer = lazy(() => import("../media/Viewer"));

export function Room(props: { id: RoomId }): JSX.Element {
  const chat = useChat();
  const room = (): RoomSummary | undefined => chat.room(props.id);
  return (
    <Show when={room() !== undefined} fallback={<Absent />}>
      <Present id={props.id} />
    </Show>
  );
}

/** How long a room that was just made or joined may take to be told of. */
const TOLD_MS = 3_000;

function Absent(): JSX.Element {
  const chat = useChat();
  const [isLate, setLate] = createSignal(false);
  const timer = setTimeout(() => setLate(true), TOLD_MS);
  onCleanup(() => clearTimeout(timer));
  const isGone = (): boolean => isLate() && chat.areRoomsKnown();
  return (
    <section class="empty">
      <p class="quiet" role="status">{isGone() ? texts.problem.not_found : texts.oneMoment}</p>
      <Show when={isGone()}>
        <button onClick={() => chat.open(undefined)}>{texts.back}</button>
      </Show>
    </section>
  );
}

function Present(props: { id: RoomId }): JSX.Element {
  const chat = useChat();
  const conversation = createConversation(chat, props.id);
  const room = (): RoomSummary | undefined => chat.room(props.id);
  const title = (): string => {
    const present = room();
    return present ? titleOf(present) : "";
  };
  const typing = (): string => {
    const names = chat.presences.typing(props.id).map((user) => chat.people.name(user));
    return names.length > 0 ? texts.typing(names) : "";
  };
  createEffect(() => chat.presences.watch(conversation.members().map((member) => member.user.id)));
  onCleanup(() => {
    chat.presences.watch([]);
    player.stop();
    chat.setPanel(undefined);
  });
  const mayWrite = (): boolean => room()?.role !== "reader" && !room()?.archived;
  const drop = useDrop(mayWrite, (data) => conversation.tray.add(filesOf(data, chat.tell), chat.tell));
  return (
    <section class="room" {...drop.handlers}>
      <header class="bar">
        <button class="plain back" onClick={() => chat.open(undefined)} aria-label={texts.back}><Icon name="back" /></button>
        <Avatar id={room()?.peer?.id ?? props.id} name={title()} isOnline={chat.presences.of(room()?.peer?.id)?.status === "online"} />
        <div class="title">
          <h1><bdi>{title()}</bdi></h1>
          <p class="quiet"><Subtitle room={room()} /></p>
        </div>
        <button class="plain" onClick={() => chat.setPanel("details")} aria-label={texts.details} title={texts.details}><Icon name="people" /></button>
      </header>
      <List conversation={conversation} title={title()} />
      <p class="typing-line" aria-live="off">{typing()}</p>
      <Show when={mayWrite()} fallback={<p class="closed">{room()?.archived ? texts.isArchived : texts.readOnly}</p>}>
        <Composer conversation={conversation} title={title()} />
      </Show>
      <Show when={drop.isOver()}><p class="drop" aria-hidden="true">{texts.dropHere(title())}</p></Show>
      <Show when={conversation.viewing()}><Suspense><Viewer conversation={conversation} /></Suspense></Show>
      <Show when={chat.panel() === "details"}><Details conversation={conversation} /></Show>
    </section>
  );
}

/** Files that are dragged over the room and dropped on it. */
function useDrop(mayDrop: () => boolean, dropped: (data: DataTransfer | null) => void) {
  const [isOver, setOver] = createSignal(false);
  const carries = (event: DragEvent): boolean => (event.dataTransfer?.types.includes("Files") ?? false) && mayDrop();
  const over = (event: DragEvent): void => {
    if (!carries(event)) return;
    event.preventDefault();
    if (event.dataTransfer) event.dataTransfer.dropEffect = "copy";
    setOver(true);
  };
  const left = (event: DragEvent): void => {
    if (!(event.currentTarget as HTMLElement).contains(event.relatedTarget as Node | null)) setOver(false);
  };
  const drop = (event: DragEvent): void => {
    setOver(false);
    if (!carries(event)) return;
    event.preventDefault();
    dropped(event.dataTransfer);
  };
  return { isOver, handlers: { onDragEnter: over, onDragOver: over, onDragLeave: left, onDrop: drop } };
}

function Subtitle(props: { room: RoomSummary | undefined }): JSX.Element {
  const chat = useChat();
  const there = (user: string): string => {
    const presence = chat.presences.of(user);
    if (!presence) return "";
    if (presence.status !== "offline") return presence.status === "online" ? texts.online : texts.away;
    return presence.lastSeen ? texts.lastSeen(shortTime(presence.lastSeen)) : texts.offlineNow;
  };
  const words = (): string => {
    const { room } = props;
    if (!room || room.kind === "direct") return room?.peer ? [`@${room.peer.handle}`, there(room.peer.id)].filter(Boolean).join(" · ") : "";
    return [texts.members(room.members ?? 1), room.topic].filter(Boolean).join(" · ");
  };
  return <span dir="auto">{words()}</span>;
}
