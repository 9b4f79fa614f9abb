// A line to write into, with what it is and what to know about it.

import { createUniqueId, type JSX, Show, splitProps } from "solid-js";

type Props = { label: string; hint?: string } & JSX.InputHTMLAttributes<HTMLInputElement>;

export function Field(props: Props): JSX.Element {
  const [own, input] = splitProps(props, ["label", "hint"]);
  const id = createUniqueId();
  return (
    <div class="field">
      <label for={id}>{own.label}</label>
      <input id={id} dir="auto" {...input} aria-describedby={own.hint ? `${id}-hint` : undefined} />
      <Show when={own.hint}>
        <p class="hint" id={`${id}-hint`}>{own.hint}</p>
      </Show>
    </div>
  );
}
