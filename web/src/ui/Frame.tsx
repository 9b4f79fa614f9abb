// What is on the screen once somebody is logged in: the conversations beside the one that is open.

import { type JSX, Show } from "solid-js";
import { useChat } from "../state/chat";
import { NewRoom } from "../panels/NewRoom";
import { Settings } from "../panels/Settings";
import { createAlerts } from "../state/alerts";
import { Room } from "../room/Room";
import { texts } from "../texts";
import { Confirm } from "./Confirm";
import { Connection } from "./Connection";
import { Logo } from "./Icon";
import { useKeys } from "./keys";
import { Sidebar } from "./Sidebar";

export function Frame(): JSX.Element {
  const chat = useChat();
  const spoken = createAlerts(chat);
  useKeys(chat);
  return (
    <div class="page" classList={{ inside: chat.opened() !== undefined }}>
      <Sidebar />
      <main class="main">
        <Connection />
        <Show when={chat.opened()} keyed fallback={<Empty />}>
          {(room) => <Room id={room} />}
        </Show>
      </main>
      <Show when={chat.panel() === "new"}><NewRoom /></Show>
      <Show when={chat.panel() === "settings"}><Settings /></Show>
      <p class="heard" role="log" aria-live="polite">{spoken()}</p>
      <p class="notice" role="status">{chat.notice()}</p>
      <Confirm />
    </div>
  );
}

function Empty(): JSX.Element {
  return (
    <section class="empty">
      <Logo />
      <h1>{texts.welcome}</h1>
      <p class="quiet">{texts.pickRoom}</p>
    </section>
  );
}
