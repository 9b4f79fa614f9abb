// Who is in a room, what they may do, and who is kept out.

import { createSignal, For, type JSX, Show } from "solid-js";
import type { Conversation } from "../room/conversation";
import { useChat } from "../state/chat";
import { nameOf } from "../state/people";
import type { Member, Role, RoomSummary, User } from "../state/wire";
import { texts } from "../texts";
import { Avatar } from "../ui/Avatar";
import { confirm } from "../ui/Confirm";
import { Field } from "../ui/Field";
import { Icon } from "../ui/Icon";
import { useFound } from "./found";
import { Choice } from "./NewRoom";

const ROLES: readonly Role[] = ["owner", "admin", "member", "reader"];
const MUTE_MS = 60 * 60_000;

export function Members(props: { conversation: Conversation; room: RoomSummary }): JSX.Element {
  const [words, setWords] = createSignal("");
  const mayChange = (): boolean => props.room.role === "owner" || props.room.role === "admin";
  const shown = (): readonly Member[] => {
    const wanted = words().trim().toLocaleLowerCase();
    const fits = ({ user }: Member): boolean => `${user.display_name} ${user.handle}`.toLocaleLowerCase().includes(wanted);
    return props.conversation.members().filter(fits).slice(0, 200);
  };
  const sorted = (): readonly Member[] => [...shown()].sort((one, other) => ROLES.indexOf(one.role) - ROLES.indexOf(other.role));
  return (
    <section class="stack">
      <h3>{texts.members(props.room.members ?? props.conversation.members().length)}</h3>
      <Show when={props.conversation.members().length > 12}>
        <input type="search" placeholder={texts.filterMembers} aria-label={texts.filterMembers} onInput={(event) => setWords(event.currentTarget.value)} />
      </Show>
      <ul class="members">
        <For each={sorted()}>{(member) => <Entry member={member} room={props.room} conversation={props.conversation} mayChange={mayChange()} />}</For>
      </ul>
      <Show when={mayChange()}>
        <Find label={texts.addPeople} room={props.room} onPick={(chat, user) => chat.client.rest.rooms.putMember(props.room.id, user.id)} />
        <Find label={texts.liftBan} room={props.room} onPick={(chat, user) => chat.client.rest.rooms.removeMember(props.room.id, user.id, { unban: true })} done={texts.banLifted} />
      </Show>
    </section>
  );
}

type Chat = ReturnType<typeof useChat>;

/** Finds somebody and does something with them. */
function Find(props: { label: string; room: RoomSummary; onPick: (chat: Chat, user: User) => Promise<unknown>; done?: string }): JSX.Element {
  const chat = useChat();
  let field!: HTMLDivElement;
  const [words, setWords] = createSignal("");
  const found = useFound<User>(words, async (query) => (await chat.client.rest.users(query, { limit: 6 })).items.filter((user) => user.id !== chat.client.user));
  const pick = async (user: User): Promise<void> => {
    try {
      await props.onPick(chat, user);
      if (props.done) chat.tell(props.done);
      setWords("");
      const input = field.querySelector("input");
      if (input) input.value = "";
    } catch (error) {
      chat.tell(error);
    }
  };
  return (
    <div ref={field} role="group" aria-label={props.label}>
      <Field label={props.label} type="search" onInput={(event) => setWords(event.currentTarget.value)} />
      <div class="choices"><For each={found()}>{(user) => <Choice id={user.id} name={nameOf(user)} more={`@${user.handle}`} onPick={() => void pick(user)} />}</For></div>
    </div>
  );
}

function Entry(props: { member: Member; room: RoomSummary; conversation: Conversation; mayChange: boolean }): JSX.Element {
  const chat = useChat();
  const { rooms } = chat.client.rest;
  const user = (): User => props.member.user;
  const isMe = (): boolean => user().id === chat.client.user;
  // Admins change whom they stand above; the server says the last word.
  const mayChange = (): boolean => props.mayChange && !isMe() && (props.room.role === "owner" || props.member.role === "member" || props.member.role === "reader");
  const attempt = async (what: Promise<unknown>): Promise<void> => {
    await what.catch(chat.tell);
    props.conversation.reloadMembers();
  };
  const talk = async (): Promise<void> => {
    try {
      const direct = await rooms.direct(user().id);
      chat.setPanel(undefined);
      chat.open(direct.id);
    } catch (error) {
      chat.tell(error);
    }
  };
  const isMuted = (): boolean => Date.parse(props.member.muted_until ?? "") > Date.now();
  const mute = (): Promise<void> =>
    attempt(rooms.putMember(props.room.id, user().id, { muted_until: isMuted() ? null : new Date(Date.now() + MUTE_MS).toISOString() }));
  const remove = async (ban: boolean): Promise<void> => {
    const [title, words] = ban ? [texts.banTitle, texts.banWords] : [texts.removeTitle, texts.removeWords];
    const yes = ban ? texts.ban : texts.remove;
    if (await confirm({ title: title(nameOf(user())), words, yes, isGrave: true })) await attempt(rooms.removeMember(props.room.id, user().id, { ban }));
  };
  return (
    <li class="person">
      <Avatar id={user().id} name={nameOf(user())} isOnline={chat.presences.of(user().id)?.status === "online"} />
      <span class="words">
        <b><bdi>{nameOf(user())}</bdi>{isMe() ? ` (${texts.you})` : ""}</b>
        <span class="quiet">@{user().handle}{isMuted() ? ` · ${texts.muted}` : ""}</span>
      </span>
      <Show when={!isMe() && !user().deleted}>
        <button class="plain" onClick={() => void talk()} aria-label={texts.writeTo(nameOf(user()))} title={texts.writeTo(nameOf(user()))}><Icon name="send" /></button>
      </Show>
      <Show when={mayChange()} fallback={<span class="quiet">{texts.roles[props.member.role]}</span>}>
        <select
          aria-label={texts.roleOf(nameOf(user()))}
          value={props.member.role}
          onChange={(event) => void attempt(rooms.putMember(props.room.id, user().id, { role: event.currentTarget.value as Role }))}
        >
          <For each={props.room.role === "owner" ? ROLES : ROLES.slice(1)}>{(role) => <option value={role} selected={role === props.member.role}>{texts.roles[role]}</option>}</For>
        </select>
        <span class="deeds">
          <button class="link" onClick={() => void mute()}>{isMuted() ? texts.unmute : texts.mute}</button>
          <button class="link" onClick={() => void remove(false)}>{texts.remove}</button>
          <button class="link alarm" onClick={() => void remove(true)}>{texts.ban}</button>
        </span>
      </Show>
    </li>
  );
}
