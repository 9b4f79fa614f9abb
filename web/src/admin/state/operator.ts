// What every page has: the server, what is seen of it, and a way to ask before something is changed.

import { createContext, createSignal, type Accessor, useContext } from "solid-js";
import { createLive, type Live } from "./live";
import type { Server } from "./server";

/** What is to be written into a question. */
export interface Wanted {
  label: string;
  hint?: string;
  value?: string;
  isSecret?: boolean;
  isLong?: boolean;
}

/** Something that changes the server, with what people are told before. */
export interface Deed {
  title: string;
  /** What will happen, a sentence each. */
  says: string[];
  yes: string;
  isGrave?: boolean;
  /** A name that must be typed before. */
  typed?: string;
  wanted?: Wanted;
  /** Carries it out, and says what became of it. */
  run: (written: string) => Promise<string>;
}

export interface Operator {
  server: Server;
  live: Live;
  deed: Accessor<Deed | undefined>;
  /** Asks, carries out, and shows the outcome. */
  ask: (deed: Deed) => void;
  dismiss: () => void;
  /** Counts what was changed, so that pages look again. */
  changes: Accessor<number>;
  changed: () => void;
  logOut: () => void;
}

export function createOperator(server: Server, logOut: () => void): Operator {
  const [deed, setDeed] = createSignal<Deed>();
  const [changes, setChanges] = createSignal(0);
  const live = createLive(server);
  const changed = (): void => {
    setChanges((count) => count + 1);
    live.lookNow();
  };
  return { server, live, deed, ask: (next) => setDeed(next), dismiss: () => setDeed(undefined), changes, changed, logOut };
}

const Context = createContext<Operator>();
export const OperatorProvider = Context.Provider;

export function useOperator(): Operator {
  const operator = useContext(Context);
  if (!operator) throw new Error("outside of the page");
  return operator;
}
