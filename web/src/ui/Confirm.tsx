// A question before something that cannot be taken back.

import { createSignal, type JSX, Show } from "solid-js";
import { texts } from "../texts";
import { Dialog } from "./Dialog";

interface Question {
  title: string;
  words: string;
  yes: string;
  isGrave?: boolean;
}

const [asked, setAsked] = createSignal<(Question & { answer: (yes: boolean) => void }) | undefined>();

/** Kept with what people answer. */
export function confirm(question: Question): Promise<boolean> {
  asked()?.answer(false);
  return new Promise((answer) => setAsked({ ...question, answer }));
}

export function Confirm(): JSX.Element {
  const answer = (yes: boolean): void => {
    asked()?.answer(yes);
    setAsked(undefined);
  };
  return (
    <Show when={asked()} keyed>
      {(question) => (
        <Dialog title={question.title} onClose={() => answer(false)} small>
          <p>{question.words}</p>
          <p class="buttons">
            <button onClick={() => answer(false)}>{texts.cancel}</button>
            <button class={question.isGrave ? "grave" : "primary"} autofocus onClick={() => answer(true)}>{question.yes}</button>
          </p>
        </Dialog>
      )}
    </Show>
  );
}
