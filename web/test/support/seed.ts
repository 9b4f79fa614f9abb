// Many messages in little time: over WebSockets, with as many on the way as the server allows.

import type { Client } from "../../../sdk/typescript/src/index.js";
import { nodeSocket } from "../../../sdk/typescript/src/node/index.js";

/** The server lets 64 writes of a connection wait for their answer. */
const ON_THE_WAY = 60;

/** Sends what `next` gives until it gives nothing; kept when everything is acknowledged. */
function pour(url: string, client: Client, room: string, next: () => string | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    let waiting = 0;
    const send = (): void => {
      while (waiting < ON_THE_WAY) {
        const body = next();
        if (body === undefined) break;
        waiting += 1;
        socket.send(JSON.stringify({ type: "send", room, client_id: crypto.randomUUID(), body }));
      }
      if (waiting === 0) socket.close();
    };
    const socket = nodeSocket().open(`${url.replace(/^http/, "ws")}/api/v1/ws`, client.token, {
      opened: () => socket.send(JSON.stringify({ type: "hello", cursors: {}, client: "seed" })),
      text: (text) => {
        const type = /"type":"(\w+)"/.exec(text)?.[1];
        if (type === "nack" || type === "error") reject(new Error(text));
        if (type === "ack") waiting -= 1;
        if (type === "ack" || type === "welcome") send();
      },
      closed: ({ code, reason }) => (waiting === 0 ? resolve() : reject(new Error(`closed with ${code} ${reason}`))),
    });
  });
}

export async function fill(url: string, clients: readonly Client[], room: string, count: number, words: (at: number) => string): Promise<void> {
  let at = 0;
  await Promise.all(clients.map((client) => pour(url, client, room, () => (at < count ? words((at += 1)) : undefined))));
}
