// One picture or recording while something shows it: its address, or why there is none.

import { type Accessor, createEffect, createSignal, on, onCleanup } from "solid-js";
import { useChat } from "../state/chat";
import { RookeryError } from "../state/wire";
import type { Held } from "./blobs";

export type Shown = { state: "loading" } | { state: "here"; address: string } | { state: "gone" | "failed" };

const PICTURE = /^image\/(?:jpeg|png|gif|webp)$/;

/** Only what is a picture becomes an address of this page: another type could be opened as one. */
export function asPicture(blob: Blob): Blob {
  if (!PICTURE.test(blob.type)) throw new RookeryError("unreadable", `no picture: ${blob.type}`);
  return blob;
}

/** Shows what is kept under a key for as long as it is wanted; asks again when the connection is back, or by `retry`. */
export function useShown(key: Accessor<string | undefined>, hold: (key: string) => Held): { shown: Accessor<Shown>; retry: () => void } {
  const chat = useChat();
  const [shown, setShown] = createSignal<Shown>({ state: "loading" });
  const [tries, setTries] = createSignal(0);
  const retry = (): void => void setTries((count) => count + 1);
  createEffect(on([key, tries], ([wanted]) => {
    setShown({ state: "loading" });
    if (wanted === undefined) return;
    let isOver = false;
    const held = hold(wanted);
    held.address.then(
      (address) => isOver || setShown({ state: "here", address }),
      (error: unknown) => isOver || setShown({ state: isGone(error) ? "gone" : "failed" }),
    );
    onCleanup(() => {
      isOver = true;
      held.release();
    });
  }));
  createEffect(on(() => chat.connection().state === "live", (isLive, wasLive) => {
    if (isLive && wasLive === false && shown().state === "failed") retry();
  }));
  return { shown, retry };
}

export function isGone(error: unknown): boolean {
  return error instanceof RookeryError && (error.code === "not_found" || error.code === "gone");
}
