// People who chat: accounts, clients, and what their clients told them.

import type { Client, ClientOptions, ConnectionState, RoomEvent } from "../../src/api.js";
import { createClient } from "../../src/node/index.js";

const PASSWORD = "wind in the twigs";
const PATIENCE_MS = 30_000;

/** Waits until something is so; what it is is said when that never comes. */
export async function until<T>(what: string, look: () => T | undefined | false | Promise<T | undefined | false>, ms = PATIENCE_MS): Promise<T> {
  const end = Date.now() + ms;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > end) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Somebody with a client, and everything that it told. */
export class Person {
  readonly client: Client;
  readonly events: RoomEvent[] = [];
  readonly states: ConnectionState[] = [];
  readonly problems: string[] = [];

  constructor(client: Client) {
    this.client = client;
    client.on("event", (event) => this.events.push(event));
    client.on("connection", (state) => this.states.push(state));
    client.on("problem", (error) => this.problems.push(`${error.code}: ${error.message}`));
  }

  get id(): string {
    if (this.client.user === undefined) throw new Error("nobody yet");
    return this.client.user;
  }

  /** The texts of a room in the order in which they were told. */
  texts(room: string): string[] {
    return this.messages(room).map((event) => event.body ?? "");
  }

  messages(room: string): RoomEvent[] {
    return this.events.filter((event) => event.room === room && event.kind === "message");
  }

  seqs(room: string): number[] {
    return this.events.filter((event) => event.room === room).map((event) => event.seq);
  }

  stateNames(): string[] {
    return this.states.map((state) => state.state);
  }
}

let made = 0;

/** A new account, logged in and not connected. */
export async function newcomer(url: string, name: string, options: ClientOptions = {}): Promise<Person> {
  const handle = `${name}-${process.pid}-${(made += 1)}`;
  const client = createClient({ url, ...options });
  await client.rest.createAccount({ handle, password: PASSWORD });
  return enter(client, handle);
}

async function enter(client: Client, handle: string): Promise<Person> {
  const person = new Person(client);
  await client.logIn({ login: handle, password: PASSWORD, device_name: "test" });
  return person;
}

/** The same login once more, in another client: a page that was loaded again, or a second tab. */
export function again(person: Person, url: string, options: ClientOptions = {}): Person {
  const { token, user } = person.client;
  if (token === undefined || user === undefined) throw new Error("not logged in");
  return new Person(createClient({ url, token, user, ...options }));
}

/** A group with these people in it; the first makes it. */
export async function group(first: Person, others: readonly Person[], name = "nest"): Promise<string> {
  const room = await first.client.rest.rooms.create({ kind: "group", name, members: others.map((other) => other.id) });
  return room.id;
}

/** The numbers from `first` to `last`. */
export function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, at) => first + at);
}
