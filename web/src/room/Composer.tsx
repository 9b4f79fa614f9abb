// Where people write.

import { createEffect, type JSX, on, onMount, Show } from "solid-js";
import { useChat } from "../state/chat";
import type { Message } from "../state/wire";
import { plainOf } from "../text/markdown";
import { texts } from "../texts";
import { Icon } from "../ui/Icon";
import type { Conversation } from "./conversation";
import { insert, Suggestions, useSuggestions } from "./mentions";
import { isTouch, Writing } from "./writing";

export function Composer(props: { conversation: Conversation; title: string }): JSX.Element {
  const chat = useChat();
  const { conversation } = props;
  let area!: HTMLTextAreaElement;
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
  return (
    <form class="composer" onSubmit={submit}>
      <Context conversation={conversation} onCancel={() => writing.done()} />
      <Show when={writing.isTooLong()}><p class="problem" role="alert">{texts.tooLong}</p></Show>
      <div class="line">
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
          enterkeyhint={isTouch ? "enter" : "send"}
        />
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
            <span dir="auto">{plainOf(message().body)}</span>
          </p>
          <button type="button" class="plain" onClick={() => props.onCancel()} aria-label={texts.cancel}><Icon name="close" /></button>
        </div>
      )}
    </Show>
  );
}
