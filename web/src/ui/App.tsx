// The page as a whole: the login, or everything behind it.

import { createSignal, type JSX, onCleanup, Show } from "solid-js";
import { ChatProvider, createChat } from "../state/chat";
import { forgetLogin, type KeptLogin, keptLogin, onOtherLogin } from "../state/login";
import { type Client, createClient } from "../state/wire";
import { Frame } from "./Frame";
import { Login } from "./Login";

/** What this client calls itself. */
export const CLIENT_NAME = "rookery web client";

export function App(): JSX.Element {
  const remembered = (kept: KeptLogin | undefined): Client | undefined =>
    kept && createClient({ ...kept, name: CLIENT_NAME, confirmDelivery: true });
  const [client, setClient] = createSignal<Client | undefined>(remembered(keptLogin()));
  const [ended, setEnded] = createSignal(false);
  return (
    <Show when={client()} keyed fallback={<Login ended={ended()} onIn={setClient} />}>
      {(present) => (
        <Inside
          client={present}
          onOut={(isEnded) => {
            setEnded(isEnded);
            setClient(undefined);
          }}
        />
      )}
    </Show>
  );
}

function Inside(props: { client: Client; onOut: (ended: boolean) => void }): JSX.Element {
  const chat = createChat(props.client);
  const leave = (ended: boolean): void => {
    history.replaceState(null, "", "#");
    props.onOut(ended);
  };
  onCleanup(onOtherLogin(props.client.token ?? "", () => leave(true)));
  onCleanup(
    props.client.on("connection", ({ state }) => {
      if (state !== "logged_out") return;
      const isEnded = keptLogin() !== undefined;
      forgetLogin();
      leave(isEnded);
    }),
  );
  return (
    <ChatProvider value={chat}>
      <Frame />
    </ChatProvider>
  );
}
