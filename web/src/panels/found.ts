// What the server finds for what people type, a little after they stop typing.

import { type Accessor, createEffect, createSignal, on, onCleanup } from "solid-js";

const PAUSE_MS = 200;

/** The latest answer to what is wanted; older answers that come late are dropped. */
export function useFound<T>(wanted: Accessor<string>, ask: (words: string) => Promise<readonly T[]>, isEmptyAsked = false): Accessor<readonly T[]> {
  const [found, setFound] = createSignal<readonly T[]>([]);
  createEffect(on(() => wanted().trim(), (words) => {
    let isStale = false;
    onCleanup(() => {
      isStale = true;
    });
    if (words === "" && !isEmptyAsked) return void setFound([]);
    const timer = setTimeout(() => {
      ask(words)
        .then((items) => !isStale && setFound(items))
        // With the next letter it is asked again.
        .catch(() => !isStale && setFound([]));
    }, PAUSE_MS);
    onCleanup(() => clearTimeout(timer));
  }));
  return found;
}

/** Up and down go through what can be chosen. */
export function walkChoices(event: KeyboardEvent & { currentTarget: HTMLElement }): void {
  const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (by === undefined) return;
  const choices = [...event.currentTarget.querySelectorAll<HTMLElement>("input[type='search'], .choice")];
  const next = choices[choices.indexOf(document.activeElement as HTMLElement) + by];
  if (!next) return;
  event.preventDefault();
  next.focus();
}
