// A socket that passes everything on and remembers what was said.

import type { OpenSocket } from "../../src/live/socket.js";
import { nodeSocket } from "../../src/node/index.js";

/** A frame as it went out. */
export interface Said {
  type: string;
  client_id?: string;
  body?: string;
  seen?: number;
  /** When, by this machine's clock. */
  at: number;
}

/** Sockets of Node's kind that write down what goes out, and lose of it what is to be lost. */
export function recorder(isLost: (frame: Said) => boolean = () => false): { socket: OpenSocket; said: Said[] } {
  const said: Said[] = [];
  const real = nodeSocket();
  const socket: OpenSocket = {
    sendsToken: real.sendsToken,
    open(url, token, listener) {
      const opened = real.open(url, token, listener);
      return {
        send(text) {
          const frame = { ...(JSON.parse(text) as Said), at: Date.now() };
          said.push(frame);
          if (!isLost(frame)) opened.send(text);
        },
        close: (code, reason) => opened.close(code, reason),
      };
    },
  };
  return { socket, said };
}
