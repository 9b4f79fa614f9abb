// The last ten minutes, as a row of looks at the server.

import type { Admin } from "@rookery/client";
import { type Counted, type CounterName, type HistogramName, quantile } from "./metrics";

export const INTERVAL_MS = 5_000;
export const KEPT_MS = 10 * 60_000;
/** Looks that are farther apart have nothing between them: the page was hidden, or the server away. */
const GAP_MS = 3 * INTERVAL_MS;

export interface Sample {
  /** By the clock of this browser. */
  at: number;
  counted: Counted;
  startedAt: string;
  nodes: { node: string; sessions: number | undefined; sends: number | undefined }[];
  waiting: number;
}

export type Values = (number | undefined)[];

export function sampleOf(at: number, overview: Admin.Overview, counted: Counted): Sample {
  const nodes = overview.nodes.map(({ node, sessions, sends_per_second }) => ({ node, sessions: sessions ?? undefined, sends: sends_per_second ?? undefined }));
  const waiting = overview.nodes.flatMap(({ links }) => links).reduce((sum, link) => sum + link.waiting, 0);
  return { at, counted, startedAt: overview.started_at, nodes, waiting };
}

/** The row with one more, without what is too old. */
export function withSample(samples: readonly Sample[], next: Sample): Sample[] {
  return [...samples.filter(({ at }) => at >= next.at - KEPT_MS && at < next.at), next];
}

/** The look before, if what was counted went on from there. */
function before(samples: readonly Sample[], at: number): Sample | undefined {
  const [one, other] = [samples[at - 1], samples[at]];
  const isWhole = one !== undefined && other !== undefined && one.startedAt === other.startedAt && other.at - one.at <= GAP_MS;
  return isWhole ? one : undefined;
}

/** How many per second, between each look and the one before. */
export function rates(samples: readonly Sample[], ...names: CounterName[]): Values {
  return samples.map((sample, at) => {
    const earlier = before(samples, at);
    if (!earlier) return undefined;
    const more = names.reduce((sum, name) => sum + sample.counted.counters[name] - earlier.counted.counters[name], 0);
    return Math.max(0, more) / ((sample.at - earlier.at) / 1_000);
  });
}

export function quantiles(samples: readonly Sample[], name: HistogramName, part: number): Values {
  return samples.map((sample, at) => {
    const earlier = before(samples, at);
    return earlier && quantile(earlier.counted.histograms[name], sample.counted.histograms[name], part);
  });
}

/** A line ends where there was no look. */
export const isGap = (one: number, other: number): boolean => other - one > GAP_MS;
