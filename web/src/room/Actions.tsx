// What can be done with a message, and how people react to it.

import { createSignal, For, type JSX, Show } from "solid-js";
import { useChat } from "../state/chat";
import type { Message } from "../state/wire";
import { texts } from "../texts";
import { confirm } from "../ui/Confirm";
import { Icon } from "../ui/Icon";
import type { Conversation } from "./conversation";

export const QUICK = ["👍", "❤️", "😂", "🎉", "😮", "😢"] as const;
const MORE = ["👏", "🙏", "🔥", "👀", "✅", "💯", "🤔", "😅", "😍", "🚀", "☕", "🌱"] as const;

export function Actions(props: { message: Message; isOwn: boolean; conversation: Conversation }): JSX.Element {
  const chat = useChat();
  const [isOpen, setOpen] = createSignal(false);
  let toolbar!: HTMLDivElement;
  /** In the lower half of the window the choice opens upwards. */
  const isLow = (): boolean => toolbar.getBoundingClientRect().top > innerHeight / 2;
  const role = (): string => chat.room(props.conversation.room)?.role ?? "reader";
  const mayDelete = (): boolean => props.isOwn || role() === "owner" || role() === "admin";
  const react = (emoji: string): void => {
    // With the choice the focus goes, and with the focus all of this.
    const { message } = props;
    setOpen(false);
    void toggle(chat, message, emoji);
  };
  return (
    <div class="actions" ref={toolbar} role="toolbar" aria-label={texts.actions} onKeyDown={(event) => event.key === "Escape" && setOpen(false)}>
      <button onClick={() => setOpen(!isOpen())} aria-expanded={isOpen()} data-deed="react" aria-label={texts.react} title={texts.react}><Icon name="smile" /></button>
      <Show when={role() !== "reader"}>
        <button onClick={() => props.conversation.setReplyTo(props.message)} data-deed="reply" aria-label={texts.reply} title={texts.reply}><Icon name="reply" /></button>
      </Show>
      <Show when={props.message.body !== ""}>
        <button onClick={() => void copy(chat, props.message.body)} data-deed="copy" aria-label={texts.copy} title={texts.copy}><Icon name="copy" /></button>
      </Show>
      <Show when={props.isOwn}>
        <button onClick={() => props.conversation.setEditing(props.message)} data-deed="edit" aria-label={texts.edit} title={texts.edit}><Icon name="edit" /></button>
      </Show>
      <Show when={mayDelete()}>
        <button onClick={() => void remove(chat, props.message)} data-deed="delete" aria-label={texts.delete} title={texts.delete}><Icon name="trash" /></button>
      </Show>
      <Show when={isOpen()}>
        <div class="emojis" classList={{ up: isLow() }} role="group" aria-label={texts.react}>
          <For each={[...QUICK, ...MORE]}>{(emoji) => <button onClick={() => react(emoji)} aria-label={texts.reactWith(emoji)}>{emoji}</button>}</For>
        </div>
      </Show>
    </div>
  );
}

export function Reactions(props: { message: Message; conversation: Conversation }): JSX.Element {
  const chat = useChat();
  // Keyed by what they are, so that a count that changes does not take the button away under a finger.
  const emojis = (): string[] => props.message.reactions.map((reaction) => reaction.emoji);
  const of = (emoji: string) => props.message.reactions.find((reaction) => reaction.emoji === emoji);
  return (
    <Show when={props.message.reactions.length > 0}>
      <p class="reactions">
        <For each={emojis()}>
          {(emoji) => (
            <button
              classList={{ mine: of(emoji)?.mine ?? false }}
              aria-pressed={of(emoji)?.mine ?? false}
              aria-label={texts.reacted(emoji, of(emoji)?.count ?? 0)}
              onClick={() => void toggle(chat, props.message, emoji)}
            >
              <span aria-hidden="true">{emoji}</span> {of(emoji)?.count}
            </button>
          )}
        </For>
      </p>
    </Show>
  );
}

type Chat = ReturnType<typeof useChat>;

async function toggle(chat: Chat, message: Message, emoji: string): Promise<void> {
  const isMine = message.reactions.some((reaction) => reaction.emoji === emoji && reaction.mine);
  const { rooms } = chat.client.rest;
  try {
    await (isMine ? rooms.unreact(message.room, message.seq, emoji) : rooms.react(message.room, message.seq, emoji));
  } catch (error) {
    chat.tell(error);
  }
}

async function remove(chat: Chat, message: Message): Promise<void> {
  if (!(await confirm({ title: texts.deleteTitle, words: texts.deleteWords, yes: texts.delete, isGrave: true }))) return;
  await chat.client.rest.rooms.deleteMessage(message.room, message.seq).catch(chat.tell);
}

async function copy(chat: Chat, text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    chat.tell(texts.copied);
  } catch {
    chat.tell(texts.notCopied);
  }
}
