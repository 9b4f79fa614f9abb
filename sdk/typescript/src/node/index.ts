// The same package for Node: `createClient` opens its WebSockets over Node's own HTTP.

import type { Client, ClientOptions } from "../api.js";
import { RookeryClient } from "../client.js";
import { nodeSocket } from "./websocket.js";

export * from "../index.js";
export { openFile, type OpenFile } from "./file.js";
export { nodeSocket, type TlsOptions } from "./websocket.js";

/** A client of the server at `options.url`. It does nothing until `logIn` or `start`. */
export function createClient(options: ClientOptions = {}): Client {
  return new RookeryClient({ socket: nodeSocket(), ...options });
}
