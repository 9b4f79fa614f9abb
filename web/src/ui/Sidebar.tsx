// The conversations, newest first.

import { createMemo, createSignal, For, type JSX, Show } from "solid-js";
import { snippet, titleOf, useChat } from "../state/chat";
import { drafts } from "../state/drafts";
import type { RoomId, RoomSummary } from "../state/wire";
import { shortTime } from "../text/time";
import { texts } from "../texts";
import { Avatar } from "./Avatar";
import { Icon } from "./Icon";

export function Sidebar(): JSX.Element {
  const chat = useChat();
  const [filter, setFilter] = createSignal("");
  const ids = createMemo(() => {
    const words = filter().trim().toLocaleLowerCase();
    const fits = (room: RoomSummary): boolean => words === "" || `${titleOf(room)} ${room.peer?.handle ?? ""}`.toLocaleLowerCase().includes(words);
    return chat.rooms().filter(fits).map((room) => room.id);
  });
  return (
    <nav class="sidebar" aria-label={texts.rooms}>
      <header>
        <h2>{texts.product}</h2>
        <button class="plain" onClick={() => chat.setPanel("new")} aria-label={texts.newRoom} title={texts.newRoom}><Icon name="plus" /></button>
        <button class="plain" onClick={() => chat.setPanel("settings")} aria-label={texts.settings} title={texts.settings}><Icon name="settings" /></button>
      </header>
      <div class="search">
        <Icon name="search" />
        <input type="search" placeholder={texts.filter} aria-label={texts.filter} value={filter()} onInput={(event) => setFilter(event.currentTarget.value)} />
      </div>
      <ul class="rooms">
        <For each={ids()} fallback={<li class="quiet none">{chat.areRoomsKnown() ? (filter() ? texts.noneFound : texts.noRooms) : texts.oneMoment}</li>}>
          {(id) => <Entry id={id} />}
        </For>
      </ul>
    </nav>
  );
}

function Entry(props: { id: RoomId }): JSX.Element {
  const chat = useChat();
  const room = createMemo<RoomSummary | undefined>((last) => chat.room(props.id) ?? last);
  return (
    <Show when={room()}>
      {(present) => (
        <li>
          <a
            class="entry"
            href={`#room=${props.id}`}
            aria-current={chat.opened() === props.id ? "page" : undefined}
            classList={{ unread: present().unread > 0, silent: present().notify === "none" }}
          >
            <Avatar id={present().peer?.id ?? props.id} name={titleOf(present())} isOnline={chat.presences.of(present().peer?.id)?.status === "online"} />
            <span class="words">
              <span class="first">
                <bdi class="name">{titleOf(present())}</bdi>
                <Show when={present().lastMessage}>{(last) => <time class="quiet">{shortTime(new Date(last().at))}</time>}</Show>
              </span>
              <span class="second">
                <Show when={chat.presences.typing(props.id).length > 0} fallback={<span class="snippet quiet" dir="auto">{under(present())}</span>}>
                  <span class="snippet typing">{texts.typingShort}</span>
                </Show>
                <Badges room={present()} />
              </span>
            </span>
          </a>
        </li>
      )}
    </Show>
  );

  function under(present: RoomSummary): string {
    const draft = chat.opened() === props.id ? "" : drafts.get(props.id);
    if (draft) return `${texts.draft} ${draft.slice(0, 100)}`;
    return present.lastMessage ? snippet(chat, present.lastMessage, present.kind === "direct") : (present.topic ?? "");
  }
}

function Badges(props: { room: RoomSummary }): JSX.Element {
  const chat = useChat();
  return (
    <span class="badges">
      <Show when={props.room.notify === "none"}><span role="img" aria-label={texts.muted} title={texts.muted}><Icon name="silent" /></span></Show>
      <Show when={props.room.archived}><span role="img" aria-label={texts.archived} title={texts.archived}><Icon name="lock" /></span></Show>
      <Show when={chat.mentions(props.room.id) > 0}>
        <span class="badge named" role="img" aria-label={texts.mentions(chat.mentions(props.room.id))}>@</span>
      </Show>
      <Show when={props.room.unread > 0}>
        <span class="badge" role="img" aria-label={texts.unread(props.room.unread)}>{props.room.unread > 999 ? "999+" : props.room.unread}</span>
      </Show>
    </span>
  );
}
