// The messages of a room: only those in sight are in the page, and what is in sight does not move when others come.

import { createEffect, createMemo, For, type JSX, on, onCleanup, onMount, Show } from "solid-js";
import { useChat } from "../state/chat";
import { texts } from "../texts";
import { Icon } from "../ui/Icon";
import { type Conversation, keyAt } from "./conversation";
import { Notices } from "./Notices";
import { Pages } from "./pages";
import { Row } from "./Row";

export function List(props: { conversation: Conversation; title: string }): JSX.Element {
  const { conversation } = props;
  let frame!: HTMLDivElement;
  let canvas!: HTMLDivElement;
  let block!: HTMLDivElement;
  const pages = new Pages(useChat(), conversation, { frame: () => frame, canvas: () => canvas, block: () => block });
  const keys = createMemo(() => {
    const [from, to] = pages.range();
    const view = conversation.view();
    const last = Math.min(to, view.messages.length + view.outgoing.length);
    return Array.from({ length: Math.max(last - from, 0) }, (_, at) => keyAt(view, from + at));
  });
  onMount(() => onCleanup(pages.start()));
  createEffect(on(conversation.view, () => pages.relayout()));
  createEffect(on(() => conversation.view().outgoing.at(-1)?.client_id, (last, before) => {
    if (last !== undefined && last !== before && pages.isPlaced()) void pages.toLatest();
  }));
  createEffect(on(conversation.jump, (jump) => {
    if (jump) void pages.jumpTo(jump.seq);
  }));
  return (
    <div class="list">
      <div
        class="frame"
        ref={frame}
        role="region"
        aria-label={texts.messagesOf(props.title)}
        tabindex="0"
        onScroll={() => pages.scroll.scrolled()}
        onKeyDown={(event) => ends(event, pages) || walk(event, block)}
      >
        <Show when={!conversation.view().hasOlder}>
          <p class="beginning">{texts.beginning}</p>
          <Notices after={0} conversation={conversation} />
        </Show>
        <div class="canvas" ref={canvas} classList={{ unplaced: !pages.isPlaced() }}>
          <div class="block" ref={block} role="list">
            <For each={keys()}>
              {(key) => <Row key={key} conversation={conversation} isMarked={pages.marked() === key} mounted={(element) => pages.scroll.watch(key, element)} />}
            </For>
          </div>
        </div>
      </div>
      <Show when={!pages.isPlaced()}>
        <p class="loading" role="status">{texts.loadingMessages}</p>
      </Show>
      <Show when={pages.isPlaced() && !pages.isAtEnd()}>
        <ToLatest conversation={conversation} onGo={() => void pages.toLatest()} />
      </Show>
    </div>
  );
}

function ToLatest(props: { conversation: Conversation; onGo: () => void }): JSX.Element {
  const chat = useChat();
  const unread = (): number => chat.room(props.conversation.room)?.unread ?? 0;
  return (
    <button class="to-latest" onClick={() => props.onGo()} aria-label={unread() > 0 ? texts.newMessages(unread()) : texts.toLatest} title={texts.toLatest}>
      <Icon name="down" />
      <Show when={unread() > 0}>
        <span>{unread()}</span>
      </Show>
    </button>
  );
}

/** Keys that mean a place in a recording or a film. */
const isPlayed = (event: KeyboardEvent): boolean => (event.target as HTMLElement).matches("input, audio, video") && event.key !== "Escape";

/** A browser goes to the ends in many steps, and each row on the way that is higher than it was taken for would stop it. */
function ends(event: KeyboardEvent, pages: Pages): boolean {
  if (isPlayed(event)) return false;
  if (event.key === "Home") pages.scroll.showIndex(0, 0);
  else if (event.key === "End") void pages.toLatest();
  else return false;
  event.preventDefault();
  return true;
}

/** Up and down go from message to message, Escape goes back to where one writes. */
function walk(event: KeyboardEvent, block: HTMLElement): void {
  const target = event.target as HTMLElement;
  if (isPlayed(event)) return;
  if (event.altKey || event.ctrlKey || target.closest(".actions")) return;
  const row = target.closest<HTMLElement>(".row");
  const rows = [...block.querySelectorAll<HTMLElement>(".row")];
  const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  const entered = by === -1 ? rows.at(-1) : undefined;
  const next = by !== undefined && row ? rows[rows.indexOf(row) + by] : entered;
  const isBack = event.key === "Escape" || (event.key === "ArrowDown" && row !== null && !next);
  const writing = isBack ? block.closest(".room")?.querySelector<HTMLElement>("textarea") : undefined;
  if (!next && !writing) return;
  event.preventDefault();
  next?.focus({ preventScroll: true });
  next?.scrollIntoView({ block: "nearest" });
  writing?.focus();
}
