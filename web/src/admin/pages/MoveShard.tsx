// Moving a shard: what it would do is asked of the server first, and only that can be confirmed.

import type { Admin } from "@rookery/client";
import { createSignal, createUniqueId, For, type JSX, Show } from "solid-js";
import { Dialog } from "../../ui/Dialog";
import { useOperator } from "../state/operator";
import { words } from "../texts";
import { Outcome } from "../ui/Ask";
import { Problem } from "../ui/Problem";

export function MoveShard(props: { of: Admin.AdminShard; onClose: () => void }): JSX.Element {
  const operator = useOperator();
  const id = createUniqueId();
  const [to, setTo] = createSignal("");
  const [tried, setTried] = createSignal<Admin.Moved>();
  const [outcome, setOutcome] = createSignal<string>();
  const [problem, setProblem] = createSignal<unknown>();
  const [isBusy, setBusy] = createSignal(false);
  const shard = props.of.shard;
  const nodes = (): string[] => (operator.live.overview()?.nodes ?? []).map(({ node }) => node);
  const close = (): void => {
    if (isBusy()) return;
    props.onClose();
    if (outcome()) operator.changed();
  };
  const move = (isDry: boolean): Promise<Admin.Moved> =>
    operator.server.change("POST", `/shards/${shard}/move`, { ...(to() ? { to: to() } : {}), dry_run: isDry });
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setProblem(undefined);
    try {
      if (tried()) setOutcome(words.movedTo(shard, (await move(false)).to));
      else setTried(await move(true));
    } catch (error) {
      setProblem(() => error);
    } finally {
      setBusy(false);
    }
  };
  const would = (moved: Admin.Moved): string =>
    moved.changes ? words.wouldMove(shard, moved.before.owner ?? words.unknown, moved.to) : words.wouldStay(shard, moved.to);
  return (
    <Dialog title={words.moveOf(shard)} onClose={close} small>
      <Show when={outcome()} fallback={
        <form class="stack" onSubmit={(event) => void submit(event)}>
          <div class="field">
            <label for={id}>{words.moveTo}</label>
            <select id={id} value={to()} onChange={(event) => { setTo(event.currentTarget.value); setTried(undefined); }} autofocus>
              <option value="">{words.moveHome}</option>
              <For each={nodes()}>{(node) => <option value={node}>{node}</option>}</For>
            </select>
          </div>
          <div role="status">
            <Show when={tried()}>
              {(moved) => <div class="stack"><p class="outcome">{would(moved())}</p><For each={to() ? words.moveSays : words.moveHomeSays}>{(sentence) => <p>{sentence}</p>}</For></div>}
            </Show>
          </div>
          <Show when={problem()}>{(error) => <Problem error={error()} />}</Show>
          <p class="buttons">
            <button type="button" onClick={close} disabled={isBusy()}>{words.cancel}</button>
            <button class="primary" disabled={isBusy()}>{isBusy() ? words.working : tried() ? words.move : words.tryMove}</button>
          </p>
        </form>
      }>
        {(text) => <Outcome text={text()} onClose={close} />}
      </Show>
    </Dialog>
  );
}
