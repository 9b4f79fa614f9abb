// Logging in and making an account.

import { createSignal, type JSX, Show } from "solid-js";
import { wordsFor } from "../state/chat";
import { deviceName, keepLogin } from "../state/login";
import { type Client, createClient, RookeryError } from "../state/wire";
import { texts } from "../texts";
import { CLIENT_NAME } from "./App";
import { Field } from "./Field";
import { Logo } from "./Icon";

export function Login(props: { ended: boolean; onIn: (client: Client) => void }): JSX.Element {
  const [isNew, setNew] = createSignal(false);
  const [isBusy, setBusy] = createSignal(false);
  const [problem, setProblem] = createSignal(props.ended ? texts.loggedOut : "");

  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement);
    const value = (name: string): string => String(data.get(name) ?? "");
    setBusy(true);
    setProblem("");
    try {
      props.onIn(await enter(isNew(), value("login").trim(), value("password"), value("name").trim(), data.has("stay")));
    } catch (error) {
      const isWrong = error instanceof RookeryError && error.code === "unauthenticated";
      setProblem(isWrong ? texts.problem.unauthenticated : wordsFor(error));
    } finally {
      setBusy(false);
    }
  };

  return (
    <main class="login">
      <form class="card" onSubmit={(event) => void submit(event)}>
        <Logo />
        <h1>{texts.product}</h1>
        <p class="quiet">{texts.tagline}</p>
        <Field name="login" label={isNew() ? texts.handle : texts.handleOrEmail} hint={isNew() ? texts.handleHint : ""} autocomplete="username" required />
        <Show when={isNew()}>
          <Field name="name" label={texts.displayName} hint={texts.displayNameHint} autocomplete="name" />
        </Show>
        <Field
          name="password"
          type="password"
          label={texts.password}
          hint={isNew() ? texts.passwordHint : ""}
          autocomplete={isNew() ? "new-password" : "current-password"}
          required
        />
        <label class="check">
          <input type="checkbox" name="stay" checked />
          {texts.stay}
        </label>
        <p class="problem" role="alert">{problem()}</p>
        <button class="primary" disabled={isBusy()}>
          {isBusy() ? texts.oneMoment : isNew() ? texts.signUp : texts.logIn}
        </button>
        <button type="button" class="link" onClick={() => setNew(!isNew())}>
          {isNew() ? texts.toLogIn : texts.toSignUp}
        </button>
      </form>
    </main>
  );
}

async function enter(isNew: boolean, login: string, password: string, name: string, lasting: boolean): Promise<Client> {
  const client = createClient({ name: CLIENT_NAME, confirmDelivery: true });
  if (isNew) await client.rest.createAccount({ handle: login, password, ...(name ? { display_name: name } : {}) });
  const made = await client.logIn({ login, password, device_name: deviceName() });
  keepLogin({ token: made.token, user: made.user.id }, lasting);
  return client;
}
