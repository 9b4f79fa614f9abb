// Small parts of which pages are made.

import { For, type JSX, Show } from "solid-js";
import type { List, Loaded } from "../state/loaded";
import { words } from "../texts";
import { Problem } from "./Problem";

/** A table that scrolls within itself where it is too wide. */
export function Table(props: { label: string; head: string[]; children: JSX.Element }): JSX.Element {
  return (
    <div class="scroll" role="region" aria-label={words.tableOf(props.label)} tabindex="0">
      <table>
        <thead>
          <tr><For each={props.head}>{(name) => <th scope="col">{name || <span class="heard">{words.actions}</span>}</th>}</For></tr>
        </thead>
        <tbody>{props.children}</tbody>
      </table>
    </div>
  );
}

/** What was asked for, that it is under way, or why it did not come. */
export function Awaited<T>(props: { of: Loaded<T>; children: (value: () => T) => JSX.Element }): JSX.Element {
  return (
    <>
      <Show when={props.of.problem()}>{(error) => <Problem error={error()} onAgain={props.of.again} />}</Show>
      <Show when={props.of.value() as NonNullable<T> | undefined} fallback={<Show when={!props.of.problem()}><p class="quiet" role="status">{words.loading}</p></Show>}>
        {(value) => props.children(value as () => T)}
      </Show>
    </>
  );
}

/** What stands under a list: that it is empty, that there is more. */
export function Rest<T>(props: { of: List<T>; isQuiet?: boolean }): JSX.Element {
  return (
    <p class="rest">
      <Show when={!props.isQuiet && props.of.value()?.length === 0}><span class="quiet">{words.nothingFound}</span></Show>
      <Show when={props.of.hasMore()}><button onClick={() => props.of.more()} disabled={props.of.isBusy()}>{words.more}</button></Show>
      <button class="link" onClick={() => props.of.again()} disabled={props.of.isBusy()}>{words.refresh}</button>
    </p>
  );
}

/** A name and what it is. What changes of it changes in its place, so that the focus stays. */
export function Fact(props: { name: string; children: JSX.Element }): JSX.Element {
  return <div><dt>{props.name}</dt><dd>{props.children}</dd></div>;
}

export type Mood = "well" | "warm" | "alarm" | "quiet";

export function Mark(props: { mood: Mood; children: JSX.Element }): JSX.Element {
  return <span class={`mark ${props.mood}`}>{props.children}</span>;
}

export function Search(props: { label: string; value: string; onInput: (text: string) => void }): JSX.Element {
  return <input class="find" type="search" aria-label={props.label} placeholder={props.label} dir="auto" value={props.value} onInput={(event) => props.onInput(event.currentTarget.value)} />;
}
