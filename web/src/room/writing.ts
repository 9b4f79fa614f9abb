// What people are writing: a new message, an answer or another text for a message, and what their keys do.

import { type Accessor, createMemo, createSignal } from "solid-js";
import type { Chat } from "../state/chat";
import { drafts } from "../state/drafts";
import type { Message, NewFile } from "../state/wire";
import type { Conversation } from "./conversation";
import { mentioned } from "./mentions";

/** The server takes no longer ones. */
const MOST_BYTES = 16_384;
export const isTouch = matchMedia("(pointer: coarse)").matches;

export class Writing {
  readonly #chat: Chat;
  readonly #conversation: Conversation;
  readonly #area: () => HTMLTextAreaElement;
  readonly text: Accessor<string>;
  readonly isTooLong: Accessor<boolean>;
  readonly #setText: (text: string) => void;

  constructor(chat: Chat, conversation: Conversation, area: () => HTMLTextAreaElement) {
    this.#chat = chat;
    this.#conversation = conversation;
    this.#area = area;
    const [text, setText] = createSignal(drafts.get(conversation.room));
    this.text = text;
    this.#setText = setText;
    this.isTooLong = createMemo(() => text().length > MOST_BYTES / 4 && new TextEncoder().encode(text()).length > MOST_BYTES);
  }

  get isSendable(): boolean {
    const carries = !this.#conversation.editing() && this.#conversation.tray.chosen().length > 0;
    return (this.text().trim() !== "" || carries) && !this.isTooLong();
  }

  write(words: string): void {
    this.#setText(words);
    this.#area().value = words;
    grow(this.#area());
  }

  /** Leaves the answer or the edit. */
  done(): void {
    const conversation = this.#conversation;
    // What was begun before the edit is gone on with.
    if (!conversation.editing()) drafts.set(conversation.room, "");
    conversation.setEditing(undefined);
    conversation.setReplyTo(undefined);
    this.write(drafts.get(conversation.room));
    this.#area().focus();
  }

  send(): void {
    if (!this.isSendable) return;
    const body = this.text().trim();
    const edited = this.#conversation.editing();
    if (edited) void this.#edit(edited, body);
    else if (!this.post(body, this.#conversation.tray.chosen().map(({ name, file }) => ({ name, source: file })))) return;
    else this.#conversation.tray.clear();
    this.done();
  }

  typed(): void {
    const words = this.#area().value;
    this.#setText(words);
    grow(this.#area());
    if (this.#conversation.editing()) return;
    drafts.set(this.#conversation.room, words);
    if (words !== "") this.#chat.client.typing(this.#conversation.room);
  }

  keyed(event: KeyboardEvent): void {
    const { editing, replyTo } = this.#conversation;
    if (event.key === "Enter" && !event.shiftKey && !isTouch) this.send();
    else if (event.key === "Escape" && (editing() || replyTo())) this.done();
    else if (event.key === "ArrowUp" && event.ctrlKey) toMessages(this.#area());
    else if (!(event.key === "ArrowUp" && this.text() === "" && this.#editLast())) return;
    event.preventDefault();
  }

  /** Whether the outbox takes it: it holds very many, and not any number. */
  post(body: string, attachments: readonly NewFile[]): boolean {
    const reply = this.#conversation.replyTo();
    const mentions = mentioned(body, this.#conversation.members());
    const options = { attachments, ...(reply ? { replyTo: reply.seq } : {}), ...(mentions.length > 0 ? { mentions } : {}) };
    try {
      const sending = this.#chat.client.send(this.#conversation.room, body, options);
      sending.stored.catch(this.#chat.tell);
      // What becomes of it stands at the message itself.
      sending.sent.catch(() => {});
      return true;
    } catch (error) {
      this.#chat.tell(error);
      return false;
    }
  }

  async #edit(message: Message, body: string): Promise<void> {
    if (body === message.body) return;
    try {
      await this.#chat.client.rest.rooms.edit(message.room, message.seq, body);
    } catch (error) {
      this.#chat.tell(error);
      if (this.text() !== "") return;
      this.#conversation.setEditing(message);
      this.write(body);
    }
  }

  #editLast(): boolean {
    const mine = this.#conversation.view().messages.findLast((one) => one.from === this.#chat.client.user && !one.deleted);
    if (mine) this.#conversation.setEditing(mine);
    return mine !== undefined;
  }
}

function toMessages(area: HTMLTextAreaElement): void {
  [...(area.closest(".room")?.querySelectorAll<HTMLElement>(".row") ?? [])].at(-1)?.focus();
}

function grow(area: HTMLTextAreaElement): void {
  area.style.height = "auto";
  area.style.height = `${Math.min(area.scrollHeight, 220)}px`;
}
