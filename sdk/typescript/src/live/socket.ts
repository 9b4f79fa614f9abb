// What a WebSocket has to be able to do, and the browser's own.

import { RookeryError } from "../errors.js";

/** The subprotocol of the contract. */
export const SUBPROTOCOL = "rookery.v1.json";

/** How a socket ended. */
export interface Ended {
  /** The close code; 1006 when there was none. */
  code: number;
  reason: string;
  /** The handshake was refused with this HTTP status, if that can be known. */
  status?: number;
  /** How long the server asked to wait, if that can be known. */
  retryAfterMs?: number;
}

/** What a socket tells; after `closed` nothing more. */
export interface SocketListener {
  opened(): void;
  text(text: string): void;
  closed(ended: Ended): void;
}

/** An open or opening socket. */
export interface Socket {
  send(text: string): void;
  /** Ends it. `closed` is told all the same, at the latest a second later. */
  close(code?: number, reason?: string): void;
}

/** Opens sockets. */
export interface OpenSocket {
  /**
   * Whether `token` can go along as a header. If not, the client gets a ticket and puts it into the address, which is
   * what browsers need.
   */
  readonly sendsToken: boolean;
  open(url: string, token: string | undefined, listener: SocketListener): Socket;
}

/** The part of the browser's `WebSocket` that is needed here; `ws` and others have it too. */
export interface StandardSocket {
  send(text: string): void;
  close(code?: number, reason?: string): void;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
}

/** A class of sockets with the browser's interface. */
export type StandardSocketClass = new (url: string, protocols: string[]) => StandardSocket;

const CLOSING_MS = 1_000;

/** Opens sockets of a class with the browser's interface: the global one if none is given. */
export function standardSocket(given?: StandardSocketClass): OpenSocket {
  return {
    sendsToken: false,
    open(url, _token, listener) {
      const found = given ?? (globalThis as { WebSocket?: unknown }).WebSocket;
      if (typeof found !== "function") {
        throw new RookeryError("unusable", "there is no WebSocket here: in Node take createClient of @rookery/client/node");
      }
      return attach(new (found as StandardSocketClass)(url, [SUBPROTOCOL]), listener);
    },
  };
}

function attach(socket: StandardSocket, listener: SocketListener): Socket {
  let over = false;
  const end = (ended: Ended): void => {
    if (over) return;
    over = true;
    socket.onopen = socket.onmessage = socket.onclose = socket.onerror = null;
    listener.closed(ended);
  };
  socket.onopen = () => listener.opened();
  socket.onmessage = (event: { data: unknown }) => {
    if (typeof event.data === "string") listener.text(event.data);
  };
  socket.onclose = (event: { code: number; reason: string }) => end({ code: event.code, reason: event.reason });
  // An error is followed by a close, which says all that is known.
  socket.onerror = () => {};
  return {
    send: (text) => {
      if (!over) socket.send(text);
    },
    close: (code = 1000, reason = "") => {
      if (over) return;
      socket.close(code, reason);
      // A peer that is not there does not answer, and browsers wait long for that.
      setTimeout(() => end({ code: 1006, reason: "closed here" }), CLOSING_MS);
    },
  };
}
