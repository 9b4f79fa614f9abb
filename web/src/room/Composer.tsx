// Where people write.

import { createEffect, createSignal, type JSX, lazy, on, onMount, Show, Suspense } from "solid-js";
import type { Recorded } from "../media/recording";
import { filesOf } from "../media/tray";
import { TrayList } from "../media/TrayList";
import { inOneLine } from "../media/words";
import { useChat } from "../state/chat";
import type { Message } from "../state/wire";
import { texts } from "../texts";
import { Icon } from "../ui/Icon";
import type { Conversation } from "./conversation";
import { insert, Suggestions, useSuggestions } from "./mentions";
import { isTouch, Writing } from "./writing";

/** Whoever does not speak does not load it. */
const Recorder = lazy(() => import("../media/Recorder"));

export function Composer(props: { conversation: Conversation; title: string }): JSX.Element {
  const chat = useChat();
  const { conversation } = props;
  const { tray } = conversation;
  let area!: HTMLTextAreaElement;
  let dialog!: HTMLInputElement;
  const [isRecording, setRecording] = createSignal(false);
  const writing = new Writing(chat, conversation, () => area);
  const suggestions = useSuggestions(conversation, () => area);
  onMount(() => {
    writing.write(writing.text());
    if (!isTouch) area.focus({ preventScroll: true });
  });
  createEffect(on(conversation.editing, (message) => {
    if (!message) return;
    conversation.setReplyTo(undefined);
    writing.write(message.body);
    area.focus();
  }, { defer: true }));
  createEffect(on(conversation.replyTo, (message) => message && area.focus(), { defer: true }));
  const pick = (handle: string): void => {
    writing.write(insert(area, handle));
    writing.typed();
    suggestions.close();
  };
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    writing.send();
  };
  const left = (): void => {
    chat.client.typing(conversation.room, false);
    suggestions.close();
  };
  const add = (files: readonly File[]): void => {
    tray.add(files, chat.tell);
    area.focus({ preventScroll: true });
  };
  const pasted = (event: ClipboardEvent): void => {
    // Programs that copy words copy a picture of them as well.
    if (conversation.editing() || event.clipboardData?.types.includes("text/plain")) return;
    const files = filesOf(event.clipboardData, chat.tell);
    if (files.length === 0) return;
    event.preventDefault();
    add(files);
  };
  const endRecording = (): void => {
    setRecording(false);
    area.focus({ preventScroll: true });
  };
  const spoken = ({ name, blob, duration, waveform }: Recorded): void => {
    if (writing.post("", [{ name, source: blob, voice: { duration_ms: duration, waveform } }])) endRecording();
  };
  return (
    <form class="composer" onSubmit={submit}>
      <Context conversation={conversation} onCancel={() => writing.done()} />
      <Show when={writing.isTooLong()}><p class="problem" role="alert">{texts.tooLong}</p></Show>
      <Show when={!conversation.editing()}><TrayList tray={tray} onRemoved={() => area.focus({ preventScroll: true })} /></Show>
      <Show when={isRecording()}>
        <Suspense><Recorder onSend={spoken} onClose={endRecording} /></Suspense>
      </Show>
      <div class="line" hidden={isRecording()}>
        <input
          ref={dialog}
          type="file"
          multiple
          hidden
          onChange={() => {
            add([...(dialog.files ?? [])]);
            // The same file may be chosen again.
            dialog.value = "";
          }}
        />
        <Show when={!conversation.editing()}>
          <button type="button" class="plain" onClick={() => dialog.click()} aria-label={texts.attach} title={texts.attach}><Icon name="clip" /></button>
        </Show>
        <Suggestions of={suggestions} onPick={pick} />
        <textarea
          ref={area}
          rows="1"
          dir="auto"
          aria-label={texts.write(props.title)}
          placeholder={texts.write(props.title)}
          aria-controls="suggestions"
          aria-autocomplete="list"
          aria-activedescendant={suggestions.active()}
          onKeyDown={(event) => !event.isComposing && !suggestions.keyed(event) && writing.keyed(event)}
          onInput={() => {
            writing.typed();
            suggestions.look();
          }}
          onBlur={left}
          onPaste={pasted}
          enterkeyhint={isTouch ? "enter" : "send"}
        />
        <Show when={!conversation.editing() && writing.text() === "" && tray.chosen().length === 0}>
          <button type="button" class="plain" onClick={() => setRecording(true)} aria-label={texts.record} title={texts.record}><Icon name="microphone" /></button>
        </Show>
        <button class="send" disabled={!writing.isSendable} aria-label={conversation.editing() ? texts.save : texts.send} title={texts.send}>
          <Icon name={conversation.editing() ? "check" : "send"} />
        </button>
      </div>
    </form>
  );
}

/** What the text belongs to: an answer or an edit. */
function Context(props: { conversation: Conversation; onCancel: () => void }): JSX.Element {
  const chat = useChat();
  const about = (): Message | undefined => props.conversation.editing() ?? props.conversation.replyTo();
  return (
    <Show when={about()}>
      {(message) => (
        <div class="context">
          <Icon name={props.conversation.editing() ? "edit" : "reply"} />
          <p>
            <b>{props.conversation.editing() ? texts.editing : texts.replyingTo(chat.people.name(message().from))}</b>
            <span dir="auto">{inOneLine(message())}</span>
          </p>
          <button type="button" class="plain" onClick={() => props.onCancel()} aria-label={texts.cancel}><Icon name="close" /></button>
        </div>
      )}
    </Show>
  );
}
