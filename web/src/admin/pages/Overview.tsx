// How the server is, at one look: what is wrong first.

import type { Admin } from "@rookery/client";
import { Index, type JSX, Show } from "solid-js";
import type { Counted } from "../state/metrics";
import { useOperator } from "../state/operator";
import { linkTo } from "../state/place";
import { numberOf, words } from "../texts";
import { Fact, Mark } from "../ui/Parts";
import { Charts } from "./Charts";

type Concern = { says: string; href?: string; link?: string };

const total = (of: (number | null | undefined)[]): number => of.reduce<number>((sum, value) => sum + (value ?? 0), 0);

function concerns(seen: Admin.Overview, counted: Counted | undefined): Concern[] {
  const found: Concern[] = [];
  const about = linkTo("nodes");
  if (seen.store.state !== "ok") found.push({ says: words.storeState(seen.store.state) });
  for (const room of seen.quarantined) found.push({ says: words.quarantinedRoom, href: linkTo("rooms", room), link: room });
  for (const node of seen.nodes) {
    if (!node.answers) found.push({ says: words.silent(node.node), href: about, link: words.pages.nodes });
    if (node.draining) found.push({ says: words.isDraining(node.node), href: about, link: words.pages.nodes });
    for (const link of node.links) if (link.shed > 0) found.push({ says: words.shedding(node.node, link.to, link.shed), href: about, link: words.pages.nodes });
  }
  const versions = [...new Set(seen.nodes.map(({ version }) => version ?? words.unknown))].sort();
  if (versions.length > 1) found.push({ says: words.versionsDiffer(versions.join(", ")) });
  const failed = (["rookery_room_panics_total", "rookery_hub_panics_total", "rookery_relay_restarts_total"] as const).map((name) => counted?.counters[name] ?? 0);
  const [rooms = 0, hubs = 0, relays = 0] = failed;
  if (total(failed) > 0) found.push({ says: words.panics(rooms, hubs, relays) });
  return found;
}

export function Overview(): JSX.Element {
  const { live } = useOperator();
  return (
    <>
      <h1>{words.pages.overview}</h1>
      <Show when={live.overview()} fallback={<p class="quiet">{words.loading}</p>}>
        {(seen) => <Seen of={seen()} counted={live.samples().at(-1)?.counted} />}
      </Show>
      <Charts />
    </>
  );
}

function Seen(props: { of: Admin.Overview; counted: Counted | undefined }): JSX.Element {
  const found = (): Concern[] => concerns(props.of, props.counted);
  const nodes = (): Admin.AdminNode[] => props.of.nodes;
  const both = (all: number, here: number): string =>
    nodes().length > 1 ? `${numberOf(all)} (${words.here} ${numberOf(here)})` : numberOf(here);
  const queue = (name: "rookery_room_queue" | "rookery_hub_queue"): string => numberOf(props.counted?.gauges[name]);
  return (
    <>
      <section class="attention" classList={{ fine: found().length === 0 }} aria-labelledby="attention">
        <h2 id="attention">{found().length === 0 ? words.allWell : words.attention}</h2>
        <Show when={found().length > 0}>
          <ul>
            <Index each={found()}>{(concern) => <li>{concern().says} <Show when={concern().href}>{(href) => <a href={href()}>{concern().link}</a>}</Show></li>}</Index>
          </ul>
        </Show>
      </section>
      <dl class="facts">
        <Fact name={words.facts.nodes}><a href={linkTo("nodes")}>{numberOf(nodes().length)}</a></Fact>
        <Fact name={words.facts.sessions}>{both(total(nodes().map(({ sessions }) => sessions)), props.of.sessions)}</Fact>
        <Fact name={words.facts.sends}>{both(total(nodes().map(({ sends_per_second }) => sends_per_second)), props.of.sends_per_second)}</Fact>
        <Fact name={words.facts.roomsAwake}>{both(total(nodes().map(({ rooms_awake }) => rooms_awake)), props.of.rooms_awake)}</Fact>
        <Fact name={words.facts.store}><Mark mood={props.of.store.state === "ok" ? "well" : "alarm"}>{words.storeStates[props.of.store.state] ?? props.of.store.state}</Mark></Fact>
        <Fact name={words.facts.queues}>{`${numberOf(props.of.store.queue)} · ${queue("rookery_room_queue")} · ${queue("rookery_hub_queue")}`}</Fact>
        <Fact name={words.facts.users}><a href={linkTo("users")}>{numberOf(props.of.users)}</a></Fact>
        <Fact name={words.facts.rooms}><a href={linkTo("rooms")}>{numberOf(props.of.rooms)}</a></Fact>
      </dl>
    </>
  );
}
