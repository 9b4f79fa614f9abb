// What a page has asked for: the answer, or why there is none.

import { type Accessor, createEffect, createSignal, on, onCleanup } from "solid-js";
import type { Page, Query } from "./server";
import { useOperator } from "./operator";

export interface Loaded<T> {
  value: Accessor<T | undefined>;
  problem: Accessor<unknown>;
  isBusy: Accessor<boolean>;
  again: () => void;
}

/** Asks when `key` changes and after every change; of several answers that are under way only the newest counts. */
export function createLoaded<T>(key: Accessor<unknown>, fetch: () => Promise<T>): Loaded<T> {
  const operator = useOperator();
  const [value, setValue] = createSignal<T>();
  const [problem, setProblem] = createSignal<unknown>();
  const [isBusy, setBusy] = createSignal(false);
  let newest = 0;
  const ask = async (): Promise<void> => {
    const mine = ++newest;
    setBusy(true);
    try {
      const answer = await fetch();
      if (mine !== newest) return;
      setValue(() => answer);
      setProblem(undefined);
    } catch (error) {
      if (mine === newest) setProblem(() => error);
    } finally {
      if (mine === newest) setBusy(false);
    }
  };
  createEffect(on([key, operator.changes], () => void ask()));
  onCleanup(() => (newest += 1));
  return { value, problem, isBusy, again: () => void ask() };
}

export interface List<T> extends Loaded<T[]> {
  hasMore: Accessor<boolean>;
  more: () => void;
}

/** A list whose further pages are asked for one by one. */
export function createList<T>(path: Accessor<string>, query: Accessor<Query>): List<T> {
  const operator = useOperator();
  const [items, setItems] = createSignal<T[]>();
  const [next, setNext] = createSignal<string>();
  const [failed, setFailed] = createSignal<unknown>();
  const [isBusy, setBusy] = createSignal(false);
  let row = 0;
  const first = createLoaded(
    () => [path(), query()],
    async () => {
      const mine = ++row;
      const page = await operator.server.get<Page<T>>(path(), query());
      if (mine !== row) return [];
      setFailed(undefined);
      setItems(page.items);
      setNext(page.next ?? undefined);
      return page.items;
    },
  );
  const more = async (): Promise<void> => {
    const [mine, after] = [row, next()];
    if (after === undefined || isBusy()) return;
    setBusy(true);
    try {
      const page = await operator.server.get<Page<T>>(path(), { ...query(), after });
      if (mine !== row) return;
      setItems((known) => [...(known ?? []), ...page.items]);
      setNext(page.next ?? undefined);
      setFailed(undefined);
    } catch (error) {
      setFailed(() => error);
    } finally {
      setBusy(false);
    }
  };
  return {
    value: items,
    problem: () => first.problem() ?? failed(),
    isBusy: () => first.isBusy() || isBusy(),
    again: first.again,
    hasMore: () => next() !== undefined,
    more: () => void more(),
  };
}
