// Why something did not work, with what one needs to find it in the log.

import { For, type JSX, Show } from "solid-js";
import { Refusal } from "../state/server";
import { words } from "../texts";

export function Problem(props: { error: unknown; onAgain?: (() => void) | undefined }): JSX.Element {
  const refusal = (): Refusal => (props.error instanceof Refusal ? props.error : new Refusal(String(props.error), { code: "page" }));
  const title = (): string => (refusal().code === "unreachable" ? words.noAnswerTitle : (refusal().status ?? 500) < 500 ? words.refused : words.failed);
  return (
    <div class="refusal" role="alert">
      <p><b>{title()}</b> <bdi>{refusal().message}</bdi></p>
      <For each={refusal().fields}>{(field) => <p><code>{field.pointer.replace(/^\//, "")}</code> <bdi>{field.detail}</bdi></p>}</For>
      <Show when={refusal().isUnknown}><p>{words.mayHaveHappened}</p></Show>
      <p class="small">
        {words.code} <code>{refusal().code}</code>
        <Show when={refusal().status}> · {words.status} <code>{refusal().status}</code></Show>
        <Show when={refusal().requestId}> · {words.requestId} <code>{refusal().requestId}</code></Show>
      </p>
      <Show when={props.onAgain}><p><button onClick={() => props.onAgain?.()}>{words.again}</button></p></Show>
    </div>
  );
}
