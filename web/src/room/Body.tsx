// The text of a message, drawn from its tree with text nodes only.

import { createMemo, createSignal, For, type JSX, Show } from "solid-js";
import { useChat } from "../state/chat";
import type { UserId } from "../state/wire";
import { type Block, blocksOf, type Inline } from "../text/markdown";
import { texts } from "../texts";

/** Longer ones are folded, so that one message does not take the whole screen. */
const LONG = 1_600;
const MANY_LINES = 24;

export function Body(props: { text: string; mentions: readonly UserId[] | undefined }): JSX.Element {
  const [isOpen, setOpen] = createSignal(false);
  const isLong = createMemo(() => props.text.length > LONG || props.text.split("\n", MANY_LINES + 1).length > MANY_LINES);
  const text = (): string => (isLong() && !isOpen() ? cut(props.text) : props.text);
  const blocks = createMemo(() => blocksOf(text()));
  return (
    <div class="body" classList={{ emoji: isOnlyEmoji(props.text) }}>
      <For each={blocks()}>{(block) => <DrawnBlock block={block} mentions={props.mentions ?? []} />}</For>
      <Show when={isLong()}>
        <button class="link" onClick={() => setOpen(!isOpen())}>{isOpen() ? texts.showLess : texts.showAll}</button>
      </Show>
    </div>
  );
}

function cut(text: string): string {
  return `${text.slice(0, LONG).split("\n").slice(0, MANY_LINES).join("\n")}…`;
}

function isOnlyEmoji(text: string): boolean {
  return text.length <= 24 && /^(?:\p{Extended_Pictographic}|\p{Emoji_Modifier}|\u200d|\ufe0f|\s)+$/u.test(text) && text.trim() !== "";
}

function DrawnBlock(props: { block: Block; mentions: readonly UserId[] }): JSX.Element {
  const { block } = props;
  const inline = (parts: Inline[]): JSX.Element => <Drawn parts={parts} mentions={props.mentions} />;
  switch (block.kind) {
    case "paragraph":
      return <p dir="auto">{inline(block.inner)}</p>;
    case "code":
      return <pre tabindex="0"><code>{block.text}</code></pre>;
    case "quote":
      return <blockquote><For each={block.blocks}>{(inner) => <DrawnBlock block={inner} mentions={props.mentions} />}</For></blockquote>;
    case "list": {
      const items = <For each={block.items}>{(item) => <li dir="auto">{inline(item)}</li>}</For>;
      return block.start === undefined ? <ul>{items}</ul> : <ol start={block.start}>{items}</ol>;
    }
  }
}

function Drawn(props: { parts: readonly Inline[]; mentions: readonly UserId[] }): JSX.Element {
  return <For each={props.parts}>{(part) => <Part part={part} mentions={props.mentions} />}</For>;
}

function Part(props: { part: Inline; mentions: readonly UserId[] }): JSX.Element {
  const { part } = props;
  const inside = (inner: readonly Inline[]): JSX.Element => <Drawn parts={inner} mentions={props.mentions} />;
  switch (part.kind) {
    case "text":
      return part.text;
    case "break":
      return <br />;
    case "code":
      return <code>{part.text}</code>;
    case "strong":
      return <strong>{inside(part.inner)}</strong>;
    case "em":
      return <em>{inside(part.inner)}</em>;
    case "strike":
      return <s>{inside(part.inner)}</s>;
    case "link":
      return (
        <>
          <a href={part.href} target="_blank" rel="noopener noreferrer nofollow ugc" title={texts.openLink(part.href)}><bdi>{inside(part.inner)}</bdi></a>
          {part.place && <span class="place"> (<bdi>{part.place}</bdi>)</span>}
        </>
      );
    case "mention":
      return <Mention handle={part.handle} mentions={props.mentions} />;
  }
}

/** Only who was really named is marked: others are words with an @. */
function Mention(props: { handle: string; mentions: readonly UserId[] }): JSX.Element {
  const chat = useChat();
  const named = createMemo(() => {
    const handle = props.handle.toLocaleLowerCase();
    return props.mentions.find((user) => chat.people.get(user)?.handle === handle);
  });
  return (
    <Show when={named()} fallback={`@${props.handle}`}>
      <span class="mention" classList={{ me: named() === chat.client.user }}>@{props.handle}</span>
    </Show>
  );
}
