// The token is asked for, and tried before anything is shown.

import { createSignal, type JSX, onMount, Show } from "solid-js";
import { Field } from "../ui/Field";
import { Logo } from "../ui/Icon";
import { Refusal, Server } from "./state/server";
import { words } from "./texts";
import { Problem } from "./ui/Problem";

export function Login(props: { why: string; onIn: (token: string) => void }): JSX.Element {
  const [isBusy, setBusy] = createSignal(false);
  const [told, setTold] = createSignal(props.why);
  const [problem, setProblem] = createSignal<unknown>();
  let token!: HTMLInputElement;
  onMount(() => token.focus());
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const shown = token.value.trim();
    setBusy(true);
    setTold("");
    setProblem(undefined);
    try {
      await new Server(shown, () => {}).get("/overview");
      props.onIn(shown);
    } catch (error) {
      const status = error instanceof Refusal ? error.status : undefined;
      setTold(status === 401 ? words.wrongToken : status === 403 ? words.notAdmin : "");
      setProblem(() => error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <main class="login">
      <form class="card" onSubmit={(event) => void submit(event)}>
        <Logo />
        <h1>{words.product}</h1>
        <p class="quiet">{words.tagline}</p>
        <Field name="token" type="password" label={words.token} hint={words.tokenHint} autocomplete="off" spellcheck={false} required ref={token} />
        <p class="problem" role="alert">{told()}</p>
        <Show when={problem()}>{(error) => <Problem error={error()} />}</Show>
        <button class="primary" disabled={isBusy()}>{isBusy() ? words.oneMoment : words.enter}</button>
      </form>
    </main>
  );
}
