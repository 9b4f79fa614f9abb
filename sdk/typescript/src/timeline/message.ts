// A message as an event says it, and as later events change it.

import type { EventFrame, UserId } from "../generated/live.js";
import type { Message, Reaction, Reactions } from "../generated/people.js";

/** The message that an event of the kind `message` is. */
export function ofEvent(event: EventFrame): Message {
  const { room, seq, at, from, client_id, reply_to, mentions, attachments } = event;
  return {
    room,
    seq,
    at,
    from,
    client_id,
    body: event.body ?? "",
    reactions: [],
    ...(typeof reply_to === "number" ? { reply_to } : {}),
    ...(mentions && mentions.length > 0 ? { mentions } : {}),
    ...(attachments && attachments.length > 0 ? { attachments } : {}),
  };
}

/** The message after it was edited or deleted; `undefined` if the event is about something else. */
export function changed(message: Message, event: EventFrame): Message | undefined {
  if (event.target !== message.seq) return undefined;
  if (event.kind === "edit") return { ...message, body: event.body ?? "", edited_at: event.at };
  if (event.kind !== "delete") return undefined;
  const { attachments: _attachments, ...rest } = message;
  return { ...rest, body: "", deleted: true, reactions: [] };
}

/**
 * Who reacted how. Somebody who reacts twice with the same emoji has reacted once, and taking back what was not there is
 * nothing: so counts alone cannot follow events.
 */
export class Reactors {
  readonly #who = new Map<string, Set<UserId>>();

  constructor(reactions: readonly Reaction[] = []) {
    for (const { emoji, user } of reactions) this.#of(emoji).add(user);
  }

  take(event: EventFrame): void {
    if (typeof event.emoji !== "string") return;
    const users = this.#of(event.emoji);
    if (event.remove) users.delete(event.from);
    else users.add(event.from);
    if (users.size === 0) this.#who.delete(event.emoji);
  }

  counts(me: UserId | undefined): Reactions[] {
    return [...this.#who].map(([emoji, users]) => ({ emoji, count: users.size, mine: me !== undefined && users.has(me) }));
  }

  #of(emoji: string): Set<UserId> {
    const users = this.#who.get(emoji) ?? new Set();
    this.#who.set(emoji, users);
    return users;
  }
}
