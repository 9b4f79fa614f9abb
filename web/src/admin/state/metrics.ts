// What the server counts, read from Prometheus text, and what can be said of it between two moments.

const COUNTERS = [
  "rookery_events_committed_total", "rookery_deliveries_total", "rookery_sessions_lagged_total", "rookery_hub_items_lost_total",
  "rookery_hub_holes_total", "rookery_nacks_total", "rookery_problems_total", "rookery_http_requests_total",
  "rookery_link_envelopes_sent_total", "rookery_link_envelopes_received_total", "rookery_link_envelopes_lost_total",
  "rookery_room_panics_total", "rookery_hub_panics_total", "rookery_relay_restarts_total",
] as const;
const GAUGES = ["rookery_store_queue", "rookery_room_queue", "rookery_hub_queue", "rookery_links", "rookery_members", "rookery_shards_owned"] as const;
const HISTOGRAMS = ["rookery_ack_seconds", "rookery_commit_seconds"] as const;

export type CounterName = (typeof COUNTERS)[number];
export type GaugeName = (typeof GAUGES)[number];
export type HistogramName = (typeof HISTOGRAMS)[number];

/** How many were at most so long: `[upper bound in seconds, count]`, in rising order. */
export type Buckets = [bound: number, count: number][];

/** What was counted at one moment. */
export interface Counted {
  counters: Record<CounterName, number>;
  gauges: Record<GaugeName, number>;
  histograms: Record<HistogramName, Buckets>;
}

const LINE = /^([a-z_]+)(?:\{(.*)\})? (\S+)$/;

/** Of a metric with labels the sum; what was never counted is 0. */
export function countedIn(text: string): Counted {
  const sums = new Map<string, number>();
  const buckets = new Map<string, Buckets>(HISTOGRAMS.map((name) => [name, []]));
  for (const line of text.split("\n")) {
    const [, name, labels, said] = LINE.exec(line) ?? [];
    if (name === undefined) continue;
    const value = Number(said);
    const bound = /le="([^"]+)"/.exec(labels ?? "")?.[1];
    if (bound === undefined) sums.set(name, (sums.get(name) ?? 0) + value);
    else buckets.get(name.replace(/_bucket$/, ""))?.push([bound === "+Inf" ? Infinity : Number(bound), value]);
  }
  for (const list of buckets.values()) list.sort(([one], [other]) => one - other);
  const pick = <K extends string>(names: readonly K[]): Record<K, number> =>
    Object.fromEntries(names.map((name) => [name, sums.get(name) ?? 0])) as Record<K, number>;
  return {
    counters: pick(COUNTERS),
    gauges: pick(GAUGES),
    histograms: Object.fromEntries(buckets) as Record<HistogramName, Buckets>,
  };
}

/**
 * The time that this part of what happened between two moments took at most, estimated within its bucket; nothing when
 * nothing happened. Beyond the last bound it is that bound.
 */
export function quantile(before: Buckets, after: Buckets, part: number): number | undefined {
  const counts = after.map(([bound, count], at) => [bound, count - (before[at]?.[1] ?? 0)] as const);
  const all = counts.at(-1)?.[1] ?? 0;
  if (all <= 0) return undefined;
  const wanted = all * part;
  let [lower, below] = [0, 0];
  for (const [bound, count] of counts) {
    if (count >= wanted) return bound === Infinity ? lower : lower + (bound - lower) * ((wanted - below) / (count - below || 1));
    [lower, below] = [bound, count];
  }
  return lower;
}
