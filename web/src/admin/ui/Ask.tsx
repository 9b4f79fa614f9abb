// The question before anything is changed, and its outcome.

import { createSignal, createUniqueId, For, type JSX, Show } from "solid-js";
import { Dialog } from "../../ui/Dialog";
import { Field } from "../../ui/Field";
import { type Deed, useOperator } from "../state/operator";
import { words } from "../texts";
import { Problem } from "./Problem";

export function Ask(): JSX.Element {
  const operator = useOperator();
  return <Show when={operator.deed()} keyed>{(deed) => <Question deed={deed} />}</Show>;
}

function Question(props: { deed: Deed }): JSX.Element {
  const operator = useOperator();
  const [isBusy, setBusy] = createSignal(false);
  const [problem, setProblem] = createSignal<unknown>();
  const [outcome, setOutcome] = createSignal<string>();
  const [name, setName] = createSignal("");
  const [written, setWritten] = createSignal(props.deed.wanted?.value ?? "");
  const isReady = (): boolean => !isBusy() && (props.deed.typed === undefined || name().trim() === props.deed.typed.trim()) && (!props.deed.wanted || written() !== "");
  // What is under way cannot be called back: its outcome is waited for.
  const close = (): void => {
    if (!isBusy()) operator.dismiss();
  };
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    if (!isReady()) return;
    setBusy(true);
    setProblem(undefined);
    try {
      setOutcome(await props.deed.run(written()));
    } catch (error) {
      setProblem(() => error);
    } finally {
      setBusy(false);
      operator.changed();
    }
  };
  return (
    <Dialog title={props.deed.title} onClose={close} small>
      <Show when={outcome()} fallback={
        <form class="stack" onSubmit={(event) => void submit(event)}>
          <For each={props.deed.says}>{(sentence) => <p>{sentence}</p>}</For>
          <Show when={props.deed.wanted}>
            {(wanted) => (
              <Show when={wanted().isLong} fallback={
                <Field
                  label={wanted().label} hint={wanted().hint ?? ""} value={written()} onInput={(event) => setWritten(event.currentTarget.value)}
                  type={wanted().isSecret ? "password" : "text"} autocomplete={wanted().isSecret ? "new-password" : "off"} autofocus
                />
              }>
                <Long label={wanted().label} value={written()} onInput={setWritten} />
              </Show>
            )}
          </Show>
          <Show when={props.deed.typed}>
            {(typed) => <Field label={words.typeName(typed())} value={name()} onInput={(event) => setName(event.currentTarget.value)} autocomplete="off" spellcheck={false} autofocus={!props.deed.wanted} />}
          </Show>
          <Show when={problem()}>{(error) => <Problem error={error()} />}</Show>
          <p class="buttons">
            <button type="button" onClick={close} disabled={isBusy()}>{words.cancel}</button>
            <button class={props.deed.isGrave ? "grave" : "primary"} disabled={!isReady()} autofocus={!props.deed.typed && !props.deed.wanted}>{isBusy() ? words.working : props.deed.yes}</button>
          </p>
        </form>
      }>
        {(text) => <Outcome text={text()} onClose={close} />}
      </Show>
    </Dialog>
  );
}

export function Outcome(props: { text: string; onClose: () => void }): JSX.Element {
  return (
    <div class="stack">
      <p class="outcome" role="status">{props.text}</p>
      <p class="buttons"><button class="primary" ref={(button) => queueMicrotask(() => button.focus())} onClick={() => props.onClose()}>{words.close}</button></p>
    </div>
  );
}

function Long(props: { label: string; value: string; onInput: (text: string) => void }): JSX.Element {
  const id = createUniqueId();
  return (
    <div class="field">
      <label for={id}>{props.label}</label>
      <textarea id={id} rows="4" dir="auto" value={props.value} onInput={(event) => props.onInput(event.currentTarget.value)} autofocus />
    </div>
  );
}
