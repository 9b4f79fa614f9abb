// How the connection is, when that is worth knowing.

import { createSignal, type JSX, onCleanup, Show } from "solid-js";
import { useChat } from "../state/chat";
import type { ConnectionState } from "../state/wire";
import { texts } from "../texts";

export function Connection(): JSX.Element {
  const chat = useChat();
  const [now, setNow] = createSignal(Date.now());
  const timer = setInterval(() => setNow(Date.now()), 500);
  onCleanup(() => clearInterval(timer));
  const state = (): ConnectionState => chat.connection();
  const words = (): string => {
    const present = state();
    switch (present.state) {
      case "connecting":
        return present.attempt > 1 ? texts.reconnecting : texts.connecting;
      case "waiting": {
        const seconds = Math.ceil((present.until.getTime() - now()) / 1_000);
        return seconds > 1 ? texts.retryIn(seconds) : texts.reconnecting;
      }
      case "offline":
        return texts.offline;
      case "ended":
        return present.closeCode === 4010 ? texts.replaced : present.reason.message;
      default:
        return "";
    }
  };
  /** Seconds that go by are not said aloud. */
  const spoken = (): string => (state().state === "waiting" ? texts.reconnecting : words());
  return (
    <div class="connection" classList={{ fine: words() === "", trouble: state().state !== "connecting" }} data-state={state().state}>
      <span aria-hidden="true">{words()}</span>
      <span class="heard" role="status">{spoken()}</span>
      <Show when={state().state === "waiting"}>
        <button onClick={() => chat.client.retryNow()}>{texts.retryNow}</button>
      </Show>
      <Show when={state().state === "ended"}>
        <button onClick={() => void chat.client.start().catch(() => {})}>{texts.useHere}</button>
      </Show>
    </div>
  );
}
