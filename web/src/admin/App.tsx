// The page as a whole: the token, or everything behind it.

import { createSignal, type JSX, Show } from "solid-js";
import { Frame } from "./Frame";
import { Login } from "./Login";
import { createOperator, OperatorProvider } from "./state/operator";
import { Server } from "./state/server";
import { forgetToken, keepToken, keptToken } from "./state/token";
import { words } from "./texts";

export function App(): JSX.Element {
  const [token, setToken] = createSignal(keptToken());
  const [why, setWhy] = createSignal("");
  const leave = (reason: string): void => {
    forgetToken();
    setWhy(reason);
    setToken(undefined);
  };
  const enter = (shown: string): void => {
    keepToken(shown);
    setToken(shown);
  };
  return (
    <Show when={token()} keyed fallback={<Login why={why()} onIn={enter} />}>
      {(present) => <Inside token={present} onOut={leave} />}
    </Show>
  );
}

function Inside(props: { token: string; onOut: (why: string) => void }): JSX.Element {
  const server = new Server(props.token, () => props.onOut(words.tokenEnded));
  const operator = createOperator(server, () => props.onOut(""));
  return (
    <OperatorProvider value={operator}>
      <Frame />
    </OperatorProvider>
  );
}
