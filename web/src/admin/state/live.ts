// Looks at the server every five seconds while somebody looks at the page.

import type { Admin } from "@rookery/client";
import { type Accessor, createSignal, onCleanup } from "solid-js";
import { countedIn } from "./metrics";
import { INTERVAL_MS, type Sample, sampleOf, withSample } from "./samples";
import { Refusal, type Server } from "./server";

/** The server did not answer, or not with this. */
export interface Trouble {
  since: Date;
  refusal: Refusal;
}

export interface Live {
  overview: Accessor<Admin.Overview | undefined>;
  samples: Accessor<Sample[]>;
  trouble: Accessor<Trouble | undefined>;
  /** When the server that answers now was started, if that was while the page was open. */
  restarted: Accessor<Date | undefined>;
  /** Counts the looks that were answered. */
  looks: Accessor<number>;
  lookNow: () => void;
}

export function createLive(server: Server): Live {
  const [overview, setOverview] = createSignal<Admin.Overview>();
  const [samples, setSamples] = createSignal<Sample[]>([]);
  const [trouble, setTrouble] = createSignal<Trouble>();
  const [restarted, setRestarted] = createSignal<Date>();
  const [looks, setLooks] = createSignal(0);
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isLooking = false;
  let isOver = false;

  const look = async (): Promise<void> => {
    const [seen, text] = await Promise.all([server.get<Admin.Overview>("/overview"), server.metrics()]);
    const known = overview();
    if (known && known.node === seen.node && known.started_at !== seen.started_at) setRestarted(new Date(seen.started_at));
    setOverview(seen);
    setSamples((row) => withSample(row, sampleOf(Date.now(), seen, countedIn(text))));
    setTrouble(undefined);
    setLooks((count) => count + 1);
  };
  const again = async (): Promise<void> => {
    clearTimeout(timer);
    if (isLooking || isOver || document.hidden) return;
    isLooking = true;
    try {
      await look();
    } catch (error) {
      const refusal = error instanceof Refusal ? error : new Refusal(String(error), { code: "unreadable" });
      setTrouble((known) => ({ since: known?.since ?? new Date(), refusal }));
    } finally {
      isLooking = false;
    }
    if (!isOver) timer = setTimeout(() => void again(), INTERVAL_MS);
  };
  const seen = (): void => {
    if (document.hidden) clearTimeout(timer);
    else void again();
  };
  document.addEventListener("visibilitychange", seen);
  onCleanup(() => {
    isOver = true;
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", seen);
  });
  void again();
  return { overview, samples, trouble, restarted, looks, lookNow: () => void again() };
}
