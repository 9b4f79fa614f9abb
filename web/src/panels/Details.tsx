// About a conversation: what it is, who is in it, what one is told of, and how to leave.

import { createSignal, For, type JSX, Show } from "solid-js";
import type { Conversation } from "../room/conversation";
import { titleOf, useChat } from "../state/chat";
import type { Notify, RoomSummary } from "../state/wire";
import { texts } from "../texts";
import { confirm } from "../ui/Confirm";
import { Dialog } from "../ui/Dialog";
import { Field } from "../ui/Field";
import { Members } from "./Members";
import { Peer } from "./Peer";

export function Details(props: { conversation: Conversation }): JSX.Element {
  const chat = useChat();
  const room = (): RoomSummary | undefined => chat.room(props.conversation.room);
  const mayChange = (): boolean => room()?.role === "owner" || room()?.role === "admin";
  return (
    <Show when={room()}>
      {(present) => (
        <Dialog title={titleOf(present())} onClose={() => chat.setPanel(undefined)}>
          <NotifyChoice room={present()} />
          <Show when={present().kind !== "direct"} fallback={<Peer user={present().peer} />}>
            <Show when={mayChange()} fallback={<p class="quiet" dir="auto">{present().topic}</p>}>
              <Change room={present()} />
            </Show>
            <Members conversation={props.conversation} room={present()} />
            <Leave room={present()} />
          </Show>
        </Dialog>
      )}
    </Show>
  );
}

/** What one is told of. */
function NotifyChoice(props: { room: RoomSummary }): JSX.Element {
  const chat = useChat();
  const choices: readonly (readonly [Notify, string])[] = [["all", texts.notifyAll], ["mentions", texts.notifyMentions], ["none", texts.notifyNone]];
  const choose = async (notify: Notify): Promise<void> => {
    await chat.client.rest.rooms.notify(props.room.id, { notify }).catch(chat.tell);
  };
  return (
    <fieldset class="tabs">
      <legend>{texts.notifyTitle}</legend>
      <For each={choices}>
        {([notify, words]) => (
          <label><input type="radio" name="notify" checked={props.room.notify === notify} onChange={() => void choose(notify)} /><span>{words}</span></label>
        )}
      </For>
    </fieldset>
  );
}

function Change(props: { room: RoomSummary }): JSX.Element {
  const chat = useChat();
  const [isSaved, setSaved] = createSignal(false);
  const save = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement);
    try {
      await chat.client.rest.rooms.change(props.room.id, {
        name: String(data.get("name") ?? "").trim(),
        topic: String(data.get("topic") ?? "").trim(),
        visibility: data.has("public") ? "public" : "private",
        archived: data.has("archived"),
      });
      setSaved(true);
      setTimeout(() => setSaved(false), 3_000);
    } catch (error) {
      chat.tell(error);
    }
  };
  return (
    <form class="stack" onSubmit={(event) => void save(event)}>
      <Field name="name" label={texts.roomName} value={props.room.name} required maxlength="64" />
      <Field name="topic" label={texts.topic} value={props.room.topic ?? ""} />
      <label class="check"><input type="checkbox" name="public" checked={props.room.visibility === "public"} />{texts.isPublic}</label>
      <label class="check"><input type="checkbox" name="archived" checked={props.room.archived} />{texts.isClosed}</label>
      <p class="buttons">
        <span class="quiet" role="status">{isSaved() ? texts.saved : ""}</span>
        <button class="primary">{texts.save}</button>
      </p>
    </form>
  );
}

function Leave(props: { room: RoomSummary }): JSX.Element {
  const chat = useChat();
  const leave = async (): Promise<void> => {
    if (!(await confirm({ title: texts.leaveTitle, words: texts.leaveWords, yes: texts.leave, isGrave: true }))) return;
    await chat.client.rest.rooms.removeMember(props.room.id, chat.client.user ?? "").then(closed, (error: unknown) => {
      const isLastOwner = props.room.role === "owner";
      chat.tell(isLastOwner ? texts.lastOwner : error);
    });
  };
  const remove = async (): Promise<void> => {
    if (!(await confirm({ title: texts.endTitle, words: texts.endWords, yes: texts.end, isGrave: true }))) return;
    await chat.client.rest.rooms.delete(props.room.id).then(closed, chat.tell);
  };
  const closed = (): void => {
    chat.setPanel(undefined);
    chat.open(undefined);
  };
  return (
    <p class="buttons apart">
      <button onClick={() => void leave()}>{texts.leave}</button>
      <Show when={props.room.role === "owner"}>
        <button class="grave" onClick={() => void remove()}>{texts.end}</button>
      </Show>
    </p>
  );
}
