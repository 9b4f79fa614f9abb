// What the server does, over the last ten minutes.

import { createMemo, type JSX, Show } from "solid-js";
import { useOperator } from "../state/operator";
import type { GaugeName } from "../state/metrics";
import { quantiles, rates, type Sample, type Values } from "../state/samples";
import { secondsOf, words } from "../texts";
import { Chart, type Line } from "../ui/Chart";

/** More lines than this cannot be told apart. */
const MOST_LINES = 6;

function sum(values: Values): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : known.reduce((one, other) => one + other, 0);
}

/** A line per node, or one for all of them when there are many. */
function sessionsOf(samples: readonly Sample[]): Line[] {
  const names = [...new Set(samples.flatMap(({ nodes }) => nodes.map(({ node }) => node)))].sort();
  if (names.length > MOST_LINES) return [{ name: words.line.all, values: samples.map(({ nodes }) => sum(nodes.map(({ sessions }) => sessions))) }];
  return names.map((name) => ({ name, values: samples.map(({ nodes }) => nodes.find(({ node }) => node === name)?.sessions) }));
}

function sendsOf(samples: readonly Sample[]): Line[] {
  const own = { name: words.line.thisNode, values: rates(samples, "rookery_events_committed_total") };
  if (samples.every(({ nodes }) => nodes.length < 2)) return [own];
  return [own, { name: words.line.all, values: samples.map(({ nodes }) => sum(nodes.map(({ sends }) => sends))) }];
}

export function Charts(): JSX.Element {
  const { live } = useOperator();
  const samples = live.samples;
  const times = createMemo(() => samples().map(({ at }) => at));
  const gauge = (name: GaugeName): Values => samples().map(({ counted }) => counted.gauges[name]);
  const latencies = (name: "rookery_ack_seconds" | "rookery_commit_seconds"): Line[] =>
    ([["p50", 0.5], ["p95", 0.95], ["p99", 0.99]] as const).map(([part, of]) => ({ name: words.line[part], values: quantiles(samples(), name, of) }));
  const lines = (...all: [name: keyof typeof words.line, values: Values][]): Line[] => all.map(([name, values]) => ({ name: words.line[name], values }));
  return (
    <section aria-labelledby="charts">
      <h2 id="charts">{words.charts}</h2>
      <p class="quiet small">{words.chartsHint}</p>
      <div class="charts">
        <Chart title={words.chart.sends} times={times()} lines={sendsOf(samples())} />
        <Chart title={words.chart.deliveries} times={times()} lines={lines(["deliveries", rates(samples(), "rookery_deliveries_total")])} />
        <Chart title={words.chart.sessions} times={times()} lines={sessionsOf(samples())} />
        <Chart title={words.chart.ack} times={times()} lines={latencies("rookery_ack_seconds")} unit={secondsOf} />
        <Chart title={words.chart.commit} times={times()} lines={latencies("rookery_commit_seconds")} unit={secondsOf} />
        <Chart title={words.chart.slow} times={times()} lines={lines(
          ["lagged", rates(samples(), "rookery_sessions_lagged_total")],
          ["lost", rates(samples(), "rookery_hub_items_lost_total")],
          ["holes", rates(samples(), "rookery_hub_holes_total")],
        )} />
        <Chart title={words.chart.queues} times={times()} lines={lines(["store", gauge("rookery_store_queue")], ["rooms", gauge("rookery_room_queue")], ["hubs", gauge("rookery_hub_queue")])} />
        <Show when={(live.overview()?.nodes.length ?? 0) > 1}>
          <Chart title={words.chart.links} times={times()} lines={lines(
            ["up", gauge("rookery_links")],
            ["waiting", samples().map(({ waiting }) => waiting)],
            ["sent", rates(samples(), "rookery_link_envelopes_sent_total")],
            ["lostLinks", rates(samples(), "rookery_link_envelopes_lost_total")],
          )} />
        </Show>
        <Chart title={words.chart.requests} times={times()} lines={lines(
          ["requests", rates(samples(), "rookery_http_requests_total")],
          ["refusals", rates(samples(), "rookery_problems_total", "rookery_nacks_total")],
        )} />
      </div>
    </section>
  );
}
