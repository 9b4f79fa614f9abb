// Who has which shard, at which epoch and why.

import type { Admin } from "@rookery/client";
import { createMemo, createSignal, For, type JSX, Show } from "solid-js";
import { createLoaded } from "../state/loaded";
import { useOperator } from "../state/operator";
import { numberOf, words } from "../texts";
import { Awaited, Mark, Search, Table } from "../ui/Parts";
import { MoveShard } from "./MoveShard";

const SHOWN = 100;

type Shard = Admin.AdminShard;

const isUnsettled = ({ holder, owner }: Shard): boolean => Boolean(holder) && holder !== owner;

function fits(shard: Shard, text: string): boolean {
  if (/^\d+$/.test(text)) return shard.shard === Number(text);
  return [shard.holder, shard.owner, shard.why].some((part) => part?.toLowerCase().includes(text));
}

export function Shards(props: { of: string }): JSX.Element {
  const { server } = useOperator();
  const all = createLoaded(() => 0, () => server.all<Shard>("/shards"));
  return (
    <>
      <h1>{words.pages.shards}</h1>
      <Awaited of={all}>{(shards) => <List of={shards()} filter={props.of} onAgain={all.again} />}</Awaited>
    </>
  );
}

function perNode(shards: readonly Shard[]): { node: string; owned: number; held: number }[] {
  const nodes = [...new Set(shards.flatMap(({ owner, holder }) => [owner, holder]).filter((name) => name !== undefined && name !== null))].sort();
  return nodes.map((node) => ({ node, owned: shards.filter(({ owner }) => owner === node).length, held: shards.filter(({ holder }) => holder === node).length }));
}

function List(props: { of: Shard[]; filter: string; onAgain: () => void }): JSX.Element {
  const [text, setText] = createSignal(props.filter);
  const [moved, setMoved] = createSignal(false);
  const [unsettled, setUnsettled] = createSignal(false);
  const [isWhole, setWhole] = createSignal(false);
  const [moving, setMoving] = createSignal<Shard>();
  const found = createMemo(() => {
    const wanted = text().trim().toLowerCase();
    return props.of.filter((shard) => (!wanted || fits(shard, wanted)) && (!moved() || shard.moved) && (!unsettled() || isUnsettled(shard)));
  });
  const shown = (): Shard[] => (isWhole() ? found() : found().slice(0, SHOWN));
  return (
    <>
      <ul class="summary"><For each={perNode(props.of)}>{({ node, owned, held }) => <li>{words.perNode(node, owned, held)}</li>}</For></ul>
      <div class="filters">
        <Search label={words.filterShards} value={text()} onInput={setText} />
        <label class="check"><input type="checkbox" checked={moved()} onChange={(event) => setMoved(event.currentTarget.checked)} />{words.onlyMoved}</label>
        <label class="check"><input type="checkbox" checked={unsettled()} onChange={(event) => setUnsettled(event.currentTarget.checked)} />{words.onlyUnsettled}</label>
      </div>
      <Table label={words.pages.shards} head={[words.shard, words.owner, words.holder, words.epoch, words.why, ""]}>
        <For each={shown()}>{(shard) => (
          <tr data-shard={shard.shard}>
            <th scope="row">{shard.shard}</th>
            <td><bdi>{shard.owner ?? words.unknown}</bdi></td>
            <td><Show when={isUnsettled(shard)} fallback={<bdi>{shard.holder ?? words.unclaimed}</bdi>}><Mark mood="warm">{shard.holder}</Mark></Show></td>
            <td>{numberOf(shard.epoch)}</td>
            <td class="long">{shard.why}</td>
            <td><button class="link" aria-label={words.moveOf(shard.shard)} onClick={() => setMoving(shard)}>{words.move}</button></td>
          </tr>
        )}</For>
      </Table>
      <p class="rest">
        <span class="quiet" role="status">{words.shownOf(shown().length, found().length)}</span>
        <Show when={shown().length < found().length}><button onClick={() => setWhole(true)}>{words.showAll}</button></Show>
        <button class="link" onClick={() => props.onAgain()}>{words.refresh}</button>
      </p>
      <Show when={moving()} keyed>{(shard) => <MoveShard of={shard} onClose={() => setMoving(undefined)} />}</Show>
    </>
  );
}
