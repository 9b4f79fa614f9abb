// Making a group or a channel.

import { createSignal, For, type JSX, Show } from "solid-js";
import { useChat, wordsFor } from "../state/chat";
import { nameOf } from "../state/people";
import { RookeryError, type RoomId, type User } from "../state/wire";
import { texts } from "../texts";
import { Field } from "../ui/Field";
import { useFound } from "./found";
import { Choice } from "./NewRoom";

function fresh(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function MakeRoom(props: { onGo: (room: RoomId) => void; onBack: () => void }): JSX.Element {
  const chat = useChat();
  const [words, setWords] = createSignal("");
  const [chosen, setChosen] = createSignal<readonly User[]>([]);
  const [problem, setProblem] = createSignal("");
  const [isBusy, setBusy] = createSignal(false);
  const found = useFound<User>(words, async (query) => (await chat.client.rest.users(query, { limit: 8 })).items.filter((user) => user.id !== chat.client.user));
  const isChosen = (user: User): boolean => chosen().some((one) => one.id === user.id);
  const toggle = (user: User): void => void setChosen(isChosen(user) ? chosen().filter((one) => one.id !== user.id) : [...chosen(), user]);
  // A second click after an answer that was lost makes no second room; after a refusal it is another try.
  let key = fresh();

  const make = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement);
    const topic = String(data.get("topic") ?? "").trim();
    setBusy(true);
    setProblem("");
    try {
      const room = await chat.client.rest.rooms.create({
        kind: data.has("channel") ? "channel" : "group",
        name: String(data.get("name") ?? "").trim(),
        visibility: data.has("public") ? "public" : "private",
        members: chosen().map((user) => user.id),
        ...(topic ? { topic } : {}),
      }, key);
      props.onGo(room.id);
    } catch (error) {
      if (!(error instanceof RookeryError && error.unknown)) key = fresh();
      setProblem(wordsFor(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form class="stack" onSubmit={(event) => void make(event)}>
      <Field name="name" label={texts.roomName} required maxlength="64" autofocus />
      <Field name="topic" label={texts.topic} hint={texts.topicHint} />
      <label class="check"><input type="checkbox" name="public" />{texts.isPublic}</label>
      <label class="check"><input type="checkbox" name="channel" />{texts.isChannel}</label>
      <Field label={texts.addPeople} type="search" onInput={(event) => setWords(event.currentTarget.value)} />
      <div class="choices">
        <For each={chosen()}>{(user) => <Choice id={user.id} name={nameOf(user)} more={`@${user.handle}`} isChosen onPick={() => toggle(user)} />}</For>
        <For each={found().filter((user) => !isChosen(user))}>{(user) => <Choice id={user.id} name={nameOf(user)} more={`@${user.handle}`} isChosen={false} onPick={() => toggle(user)} />}</For>
      </div>
      <Show when={problem()}><p class="problem" role="alert">{problem()}</p></Show>
      <p class="buttons">
        <button type="button" onClick={() => props.onBack()}>{texts.cancel}</button>
        <button class="primary" disabled={isBusy()}>{texts.make}</button>
      </p>
    </form>
  );
}
