// Naming people while writing: who is meant by the letters after an @, and who is named in the end.

import { type Accessor, createSignal, For, type JSX, Show } from "solid-js";
import { useChat } from "../state/chat";
import { nameOf } from "../state/people";
import type { Member, User, UserId } from "../state/wire";
import { texts } from "../texts";
import { Avatar } from "../ui/Avatar";
import type { Conversation } from "./conversation";

const SHOWN = 6;
/** The server takes no more in one message. */
const MOST_MENTIONS = 50;
const BEGUN = /(?:^|[^\p{L}\p{N}_])@([\p{L}\p{N}_.-]{0,32})$/u;
const NAMED = /(?:^|[^\p{L}\p{N}_])@([\p{L}\p{N}_.-]{2,32})/gu;

/** Who of these people is named in the text. */
export function mentioned(text: string, members: readonly Member[]): UserId[] {
  const byHandle = new Map(members.map(({ user }) => [user.handle, user.id]));
  const found = new Set<UserId>();
  for (const [, word] of text.matchAll(NAMED)) {
    const handle = word?.toLocaleLowerCase() ?? "";
    const user = byHandle.get(handle) ?? byHandle.get(handle.replace(/[.-]+$/, ""));
    if (user !== undefined) found.add(user);
  }
  return [...found].slice(0, MOST_MENTIONS);
}

/** The text with the handle in place of what was begun before the caret. */
export function insert(area: HTMLTextAreaElement, handle: string): string {
  const caret = area.selectionStart;
  const before = area.value.slice(0, caret).replace(/@[^@]*$/, `@${handle} `);
  const text = before + area.value.slice(caret);
  queueMicrotask(() => area.setSelectionRange(before.length, before.length));
  return text;
}

export interface Suggesting {
  found: Accessor<readonly User[]>;
  chosen: Accessor<number>;
  active: () => string | undefined;
  look: () => void;
  close: () => void;
  keyed: (event: KeyboardEvent) => boolean;
  onPick: (pick: (handle: string) => void) => void;
}

export function useSuggestions(conversation: Conversation, area: () => HTMLTextAreaElement): Suggesting {
  const chat = useChat();
  const [found, setFound] = createSignal<readonly User[]>([]);
  const [chosen, setChosen] = createSignal(0);
  let pick: (handle: string) => void = () => {};
  const look = (): void => {
    const begun = BEGUN.exec(area().value.slice(0, area().selectionStart))?.[1]?.toLocaleLowerCase();
    setChosen(0);
    setFound(begun === undefined ? [] : matching(conversation.members(), begun, chat.client.user));
  };
  const keyed = (event: KeyboardEvent): boolean => {
    const people = found();
    if (people.length === 0) return false;
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by !== undefined) setChosen((chosen() + by + people.length) % people.length);
    else if (event.key === "Enter" || event.key === "Tab") pick(people[chosen()]?.handle ?? "");
    else if (event.key === "Escape") setFound([]);
    else return false;
    event.preventDefault();
    return true;
  };
  return {
    found,
    chosen,
    active: () => (found().length > 0 ? `suggestion-${chosen()}` : undefined),
    look,
    close: () => setFound([]),
    keyed,
    onPick: (next) => {
      pick = next;
    },
  };
}

function matching(members: readonly Member[], begun: string, me: UserId | undefined): User[] {
  const fits = (user: User): boolean => user.handle.startsWith(begun) || user.display_name.toLocaleLowerCase().startsWith(begun);
  return members.map((member) => member.user).filter((user) => user.id !== me && !user.deleted && fits(user)).slice(0, SHOWN);
}

export function Suggestions(props: { of: Suggesting; onPick: (handle: string) => void }): JSX.Element {
  props.of.onPick((handle) => props.onPick(handle));
  return (
    <div id="suggestions" role="listbox" aria-label={texts.suggestions} class="suggestions" classList={{ empty: props.of.found().length === 0 }}>
      <For each={props.of.found()}>
        {(user, at) => (
          <div
            role="option"
            id={`suggestion-${at()}`}
            aria-selected={at() === props.of.chosen()}
            onPointerDown={(event) => {
              // The text keeps the focus.
              event.preventDefault();
              props.onPick(user.handle);
            }}
          >
            <Avatar id={user.id} name={nameOf(user)} small />
            <bdi>{nameOf(user)}</bdi>
            <Show when={user.display_name !== user.handle}><span class="quiet">@{user.handle}</span></Show>
          </div>
        )}
      </For>
    </div>
  );
}
