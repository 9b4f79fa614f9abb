// Finding somebody or something to talk with, or making a group.

import { createMemo, createSignal, For, type JSX, Show } from "solid-js";
import { titleOf, useChat } from "../state/chat";
import { nameOf } from "../state/people";
import type { Room, RoomId, User } from "../state/wire";
import { texts } from "../texts";
import { Avatar } from "../ui/Avatar";
import { Dialog } from "../ui/Dialog";
import { Icon } from "../ui/Icon";
import { useFound, walkChoices } from "./found";
import { MakeRoom } from "./MakeRoom";

export function NewRoom(): JSX.Element {
  const chat = useChat();
  const [isMaking, setMaking] = createSignal(false);
  const go = (room: RoomId): void => {
    chat.setPanel(undefined);
    chat.open(room);
  };
  return (
    <Dialog title={isMaking() ? texts.newGroup : texts.newRoom} onClose={() => chat.setPanel(undefined)}>
      <Show when={isMaking()} fallback={<Find onGo={go} onMake={() => setMaking(true)} />}>
        <MakeRoom onGo={go} onBack={() => setMaking(false)} />
      </Show>
    </Dialog>
  );
}

function Find(props: { onGo: (room: RoomId) => void; onMake: () => void }): JSX.Element {
  const chat = useChat();
  const [words, setWords] = createSignal("");
  const people = useFound<User>(words, async (query) => (await chat.client.rest.users(query, { limit: 20 })).items.filter((user) => user.id !== chat.client.user));
  const open = useFound<Room>(words, async (query) => (await chat.client.rest.rooms.discover(query, { limit: 20 })).items, true);
  const mine = createMemo(() => {
    const wanted = words().trim().toLocaleLowerCase();
    if (wanted === "") return [];
    return chat.rooms().filter((room) => room.kind !== "direct" && room.name.toLocaleLowerCase().includes(wanted)).slice(0, 10);
  });
  const others = createMemo(() => open().filter((room) => chat.room(room.id) === undefined));

  const talk = async (user: User): Promise<void> => {
    try {
      props.onGo((await chat.client.rest.rooms.direct(user.id)).id);
    } catch (error) {
      chat.tell(error);
    }
  };
  const join = async (room: Room): Promise<void> => {
    try {
      await chat.client.rest.rooms.putMember(room.id, chat.client.user ?? "");
      props.onGo(room.id);
    } catch (error) {
      chat.tell(error);
    }
  };
  return (
    <div class="find" onKeyDown={walkChoices}>
      <div class="search">
        <Icon name="search" />
        <input type="search" autofocus placeholder={texts.findPeople} aria-label={texts.findPeople} onInput={(event) => setWords(event.currentTarget.value)} />
      </div>
      <button class="choice make" onClick={() => props.onMake()}>
        <span class="avatar made"><Icon name="people" /></span>
        <span class="words"><b>{texts.newGroup}</b><span class="quiet">{texts.newGroupHint}</span></span>
      </button>
      <Group title={texts.rooms} items={mine()}>
        {(room) => <Choice id={room.id} name={titleOf(room)} more={texts.members(room.members ?? 1)} onPick={() => props.onGo(room.id)} />}
      </Group>
      <Group title={texts.people} items={people()}>
        {(user) => <Choice id={user.id} name={nameOf(user)} more={`@${user.handle}`} onPick={() => void talk(user)} />}
      </Group>
      <Group title={texts.publicRooms} items={others()}>
        {(room) => <Choice id={room.id} name={room.name} more={[texts.members(room.members), room.topic].filter(Boolean).join(" · ")} onPick={() => void join(room)} />}
      </Group>
      <Show when={words().trim() !== "" && mine().length + people().length + others().length === 0}>
        <p class="quiet" role="status">{texts.noneFound}</p>
      </Show>
    </div>
  );
}

function Group<T>(props: { title: string; items: readonly T[]; children: (item: T) => JSX.Element }): JSX.Element {
  return (
    <Show when={props.items.length > 0}>
      <section>
        <h3 class="quiet">{props.title}</h3>
        <For each={props.items}>{props.children}</For>
      </section>
    </Show>
  );
}

export function Choice(props: { id: string; name: string; more: string; isChosen?: boolean; onPick: () => void }): JSX.Element {
  return (
    <button type="button" class="choice" aria-pressed={props.isChosen} onClick={() => props.onPick()}>
      <Avatar id={props.id} name={props.name} />
      <span class="words">
        <b><bdi>{props.name}</bdi></b>
        <span class="quiet" dir="auto">{props.more}</span>
      </span>
      <Show when={props.isChosen}><Icon name="check" /></Show>
    </button>
  );
}
