// Making a client, with what a browser has.

import type { Client, ClientOptions } from "./api.js";
import { RookeryClient } from "./client.js";

/** A client of the server at `options.url`. It does nothing until `logIn` or `start`. */
export function createClient(options: ClientOptions = {}): Client {
  return new RookeryClient(options);
}
