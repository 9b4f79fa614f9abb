// Every node: how it is, what it has to do, its links; draining it and taking it back.

import type { Admin } from "@rookery/client";
import { For, Index, type JSX, Show } from "solid-js";
import { type Operator, useOperator } from "../state/operator";
import { momentOf, numberOf, words } from "../texts";
import { Fact, Mark, type Mood, Table } from "../ui/Parts";

const path = (node: string, verb: string): string => `/nodes/${encodeURIComponent(node)}/${verb}`;

function drain({ ask, server }: Operator, { node, sessions, shards }: Admin.AdminNode): void {
  ask({
    title: words.drainTitle(node),
    says: words.drainSays(node, sessions ?? undefined, shards ?? undefined),
    yes: words.drain,
    isGrave: true,
    typed: node,
    run: async () => {
      await server.change("POST", path(node, "drain"));
      return words.drained(node);
    },
  });
}

function resume({ ask, server }: Operator, { node }: Admin.AdminNode): void {
  ask({
    title: words.resumeTitle(node),
    says: words.resumeSays(node),
    yes: words.resume,
    run: async () => {
      await server.change("POST", path(node, "resume"));
      return words.resumed(node);
    },
  });
}

const stateOf = (node: Admin.AdminNode): [Mood, string] =>
  !node.answers ? ["alarm", words.states.silent] : node.draining ? ["warm", words.states.draining] : ["well", words.states.live];

export function Nodes(): JSX.Element {
  const operator = useOperator();
  return (
    <>
      <h1>{words.pages.nodes}</h1>
      <Show when={operator.live.overview()} fallback={<p class="quiet">{words.loading}</p>}>
        {(seen) => <Index each={seen().nodes}>{(node) => <Node of={node()} operator={operator} />}</Index>}
      </Show>
    </>
  );
}

function Node(props: { of: Admin.AdminNode; operator: Operator }): JSX.Element {
  return (
    <section class="node" data-node={props.of.node}>
      <header>
        <h2><bdi>{props.of.node}</bdi></h2>
        <Mark mood={stateOf(props.of)[0]}>{stateOf(props.of)[1]}</Mark>
        <Show when={props.of.here}><span class="quiet">{words.thisOne}</span></Show>
        <Show when={props.of.draining} fallback={<button onClick={() => drain(props.operator, props.of)} aria-label={`${words.drain} ${props.of.node}`}>{words.drain}</button>}>
          <button onClick={() => resume(props.operator, props.of)} aria-label={`${words.resume} ${props.of.node}`}>{words.resume}</button>
        </Show>
      </header>
      <dl class="facts">
        <Fact name={words.facts.sessions}>{numberOf(props.of.sessions)}</Fact>
        <Fact name={words.facts.roomsAwake}>{numberOf(props.of.rooms_awake)}</Fact>
        <Fact name={words.facts.sends}>{numberOf(props.of.sends_per_second)}</Fact>
        <Fact name={words.shards}>{numberOf(props.of.shards)}</Fact>
        <Fact name={words.facts.version}>{props.of.version ?? words.unknown}</Fact>
        <Fact name={words.seenSince}>{momentOf(props.of.since)}</Fact>
        <Fact name={words.address}><bdi>{[props.of.url, props.of.address].filter(Boolean).join(" · ") || "–"}</bdi></Fact>
        <Fact name={words.incarnation}>{props.of.incarnation === undefined || props.of.incarnation === null ? "–" : String(props.of.incarnation)}</Fact>
      </dl>
      <Show when={props.of.links.length > 0} fallback={<p class="quiet small">{words.noLinks}</p>}>
        <Table label={words.linksOf(props.of.node)} head={words.linkHead}>
          <For each={props.of.links}>
            {(link) => <tr><th scope="row"><bdi>{link.to}</bdi></th><td>{numberOf(link.waiting)}</td><td>{numberOf(link.waiting_bytes)}</td><td>{numberOf(link.shed)}</td></tr>}
          </For>
        </Table>
      </Show>
    </section>
  );
}
