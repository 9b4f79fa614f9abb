// Several clients in a room while connections are cut, clients are loaded again and the server is killed, by a seed.
// `ROOKERY_SDK_SEED=… npm test -- schedule` does it again; ROOKERY_SDK_STEPS makes it longer.

import assert from "node:assert/strict";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";

import { IDBFactory } from "fake-indexeddb";

import type { Client, Message, RoomEvent, Timeline } from "../src/api.js";
import { IndexedDbOutbox, nodeSocket, type OpenSocket, standardSocket } from "../src/node/index.js";
import { again, group, newcomer, type Person, range, until } from "./support/people.js";
import { Proxy } from "./support/proxy.js";
import { seeded, seedOfThisRun } from "./support/seeded.js";
import { Server } from "./support/server.js";

const CHATTERS = 4;
const STEPS = Number(process.env["ROOKERY_SDK_STEPS"] ?? 80);
const SETTLE_MS = 90_000;

/** Somebody who chats through a bad line, and goes on after every reload of the page. */
class Chatter {
  readonly name: string;
  readonly #proxy: Proxy;
  readonly #origin: IDBFactory;
  readonly #random: () => number;
  readonly #socket: OpenSocket;
  #person: Person;
  /** What was told, over all lives. */
  readonly events: RoomEvent[] = [];
  readonly written: string[] = [];
  readonly refused: string[] = [];
  readonly unchanged: string[] = [];
  timeline!: Timeline;

  private constructor(name: string, proxy: Proxy, origin: IDBFactory, person: Person, random: () => number, socket: OpenSocket) {
    [this.name, this.#proxy, this.#origin, this.#person, this.#random, this.#socket] = [name, proxy, origin, person, random, socket];
    this.#listen();
  }

  static async come(name: string, server: Server, random: () => number, socket: OpenSocket): Promise<Chatter> {
    const proxy = await Proxy.before(server.url);
    const origin = new IDBFactory();
    const person = await newcomer(proxy.url, name, { outbox: new IndexedDbOutbox("outbox", origin as never), random, socket });
    return new Chatter(name, proxy, origin, person, random, socket);
  }

  get client(): Client {
    return this.#person.client;
  }

  get person(): Person {
    return this.#person;
  }

  /** Opens the room on the screen. */
  open(room: string): void {
    this.timeline = this.client.timeline(room);
    // The line may be cut: the screen loads again when it is live.
    const load = (): void => void this.timeline.load(200).catch(() => {});
    load();
    this.client.on("connection", (state) => {
      if (state.state === "live" && this.timeline.messages.length === 0) load();
    });
  }

  say(room: string): void {
    const text = `${this.name} ${this.written.length + 1}`;
    this.written.push(text);
    this.client.send(room, text).sent.catch((error: { code?: string }) => {
      if (error.code !== "stopped") this.refused.push(`${text}: ${error.code}`);
    });
  }

  /** Reacts to a message on the screen, takes that back, edits or deletes; if the line is down, nothing comes of it. */
  change(room: string): void {
    const messages = this.timeline.messages.filter((message) => !message.deleted);
    const message = messages[Math.floor(this.#random() * messages.length)];
    if (!message) return;
    const { rooms } = this.client.rest;
    const what = Math.floor(this.#random() * 8);
    const isMine = message.from === this.person.id;
    const emoji = what % 2 === 0 ? "🪶" : "🌲";
    const done =
      what === 0 && isMine
        ? rooms.edit(room, message.seq, `${message.body}!`)
        : what === 1 && isMine
          ? rooms.deleteMessage(room, message.seq)
          : what < 6
            ? rooms.react(room, message.seq, emoji)
            : rooms.unreact(room, message.seq, emoji);
    done.catch((error: { code?: string }) => this.unchanged.push(`${error.code}`));
  }

  /** The page is loaded again: a new client with the same outbox, from where the last one had got. */
  async reload(room: string): Promise<void> {
    const cursors = this.client.cursors();
    await this.client.stop();
    const outbox = new IndexedDbOutbox("outbox", this.#origin as never);
    this.#person = again(this.#person, this.#proxy.url, { outbox, cursors, random: this.#random, socket: this.#socket });
    this.#listen();
    this.begin();
    this.open(room);
  }

  begin(): void {
    // The first attempt may fail; what counts is how it ends.
    this.client.start().catch(() => {});
  }

  get line(): Proxy {
    return this.#proxy;
  }

  async end(): Promise<void> {
    await this.client.stop();
    await this.#proxy.end();
  }

  #listen(): void {
    this.client.on("event", (event) => this.events.push(event));
  }
}

type Step = [weight: number, name: string, run: () => void | Promise<void>];

function choose(steps: readonly Step[], random: () => number): Step {
  let left = random() * steps.reduce((sum, [weight]) => sum + weight, 0);
  for (const step of steps) {
    left -= step[0];
    if (left < 0) return step;
  }
  return steps[0]!;
}

function stepsOf(server: Server, chatters: readonly Chatter[], room: string, random: () => number): Step[] {
  const somebody = (): Chatter => chatters[Math.floor(random() * chatters.length)]!;
  const several = (): number => 1 + Math.floor(random() * 5);
  return [
    [
      30,
      "send",
      () => {
        const who = somebody();
        for (let left = several(); left > 0; left -= 1) who.say(room);
      },
    ],
    [20, "change", () => somebody().change(room)],
    [4, "read", () => somebody().client.markRead(room)],
    [10, "cut", () => somebody().line.cut()],
    [12, "cut soon", () => somebody().line.cutAfter(Math.floor(random() * 3_000))],
    [5, "refuse", () => somebody().line.refuse(true)],
    [8, "take again", () => chatters.forEach((each) => each.line.refuse(false))],
    [4, "stick", () => somebody().line.stick(true)],
    [8, "flow", () => chatters.forEach((each) => each.line.stick(false))],
    [6, "reload", () => somebody().reload(room)],
    [8, "look now", () => chatters.forEach((each) => each.client.retryNow())],
    [
      4,
      "kill",
      async () => {
        await server.kill();
        await server.up();
        for (const each of chatters) each.line.aim(server.url);
      },
    ],
  ];
}

/** Everybody has an answer to everything, and has seen the end of the room. */
async function settle(chatters: readonly Chatter[], room: string): Promise<RoomEvent[]> {
  for (const each of chatters) {
    each.line.cut();
    each.line.refuse(false);
    each.line.stick(false);
    each.client.retryNow();
  }
  await until("everybody to be live", () => chatters.every((each) => each.client.connection.state === "live"), SETTLE_MS);
  await until("every outbox to be empty", () => chatters.every((each) => each.client.outgoing().length === 0), SETTLE_MS);
  const { rest } = chatters[0]!.client;
  const log: RoomEvent[] = [];
  for (let after: number | null | undefined = 0; typeof after === "number"; ) {
    const page = await rest.rooms.events(room, after);
    log.push(...page.items);
    after = page.next;
  }
  const head = log.at(-1)!.seq;
  await until("everybody to see the end", () => chatters.every((each) => each.client.cursors()[room] === head), SETTLE_MS);
  return log;
}

function judge(chatters: readonly Chatter[], log: readonly RoomEvent[], room: string): void {
  const said = log.filter((event) => event.kind === "message");
  assert.deepEqual(log.map((event) => event.seq), range(1, log.length));
  for (const each of chatters) {
    assert.deepEqual(each.refused, []);
    const own = said.filter((event) => event.from === each.person.id);
    const written = each.written.map((text, at) => (own[at]?.body === "" ? "" : text));
    assert.deepEqual(own.map((event) => event.body), written, `${each.name}: everything once and in order, or deleted`);
    const told = each.events.filter((event) => event.room === room);
    const seqs = told.map((event) => event.seq);
    assert.deepEqual(seqs, range(seqs[0]!, log.length), `${each.name} was told every number once and in order`);
    // What was deleted is empty in the log, and was told before that.
    for (const [at, event] of log.slice(seqs[0]! - 1).entries()) if (event.body) assert.equal(told[at]!.body, event.body);
    assert.equal(each.timeline.outgoing.length, 0);
  }
}

/** What is on the screens and in the lists is what the server has. */
async function compare(chatters: readonly Chatter[], room: string): Promise<void> {
  for (const each of chatters) {
    const { rest } = each.client;
    const screen = await until(`the screen of ${each.name}`, () => each.timeline.messages.length > 0 && !each.timeline.loading && each.timeline);
    const { items } = await rest.rooms.messages(room, { limit: 200 });
    const shown = screen.messages.slice(-items.length);
    assert.deepEqual(tidied(shown), tidied(items.slice(-shown.length)), `the screen of ${each.name}`);
    const summary = each.client.rooms.get(room)!;
    // The server moves the mark of who writes within a second.
    await until(`the list of ${each.name}: ${JSON.stringify(summary)}`, async () => {
      const theirs = await rest.rooms.get(room);
      const mine = each.client.rooms.get(room)!;
      return isDeepStrictEqual([mine.head, mine.unread, mine.read], [theirs.head, theirs.unread, theirs.read]);
    });
    const { last_message: last } = await rest.rooms.get(room);
    assert.deepEqual({ ...summary.lastMessage!, reactions: [] }, { ...last!, reactions: [] }, `the list of ${each.name}`);
  }
}

/** Reactions in one order, whoever came first. */
function tidied(messages: readonly Message[]): Message[] {
  return messages.map((message) => ({
    ...message,
    reactions: [...message.reactions].sort((one, other) => one.emoji.localeCompare(other.emoji)),
  }));
}

async function run(seed: number): Promise<void> {
  const random = seeded(seed);
  const server = await Server.start({ "limits.outbox_bytes": 65_536 });
  // The last one comes with a ticket and the platform's WebSocket, as a page does.
  const socketOf = (at: number): OpenSocket => (at === CHATTERS && typeof WebSocket === "function" ? standardSocket() : nodeSocket());
  const chatters = await Promise.all(range(1, CHATTERS).map((at) => Chatter.come(`chatter${at}`, server, random, socketOf(at))));
  const done: string[] = [];
  try {
    const room = await group(chatters[0]!.person, chatters.slice(1).map((each) => each.person));
    for (const each of chatters) each.begin();
    await until("everybody to be live", () => chatters.every((each) => each.client.rooms.get(room)?.live));
    for (const each of chatters) each.open(room);
    const steps = stepsOf(server, chatters, room, random);
    for (let left = STEPS; left > 0; left -= 1) {
      const [, name, step] = choose(steps, random);
      done.push(name);
      await step();
      // The next thing happens a little later, in the middle of whatever is under way by then.
      await new Promise((resolve) => setTimeout(resolve, random() * 80));
    }
    for (const each of chatters) each.say(room);
    judge(chatters, await settle(chatters, room), room);
    await compare(chatters, room);
  } catch (error) {
    const problems = chatters.map((each) => `${each.name}: ${each.client.connection.state} ${each.person.problems.slice(-5).join(" | ")}`);
    console.error(`seed ${seed}, after: ${done.join(", ")}\n${problems.join("\n")}\n${server.log()}`);
    throw error;
  } finally {
    await Promise.all(chatters.map((each) => each.end()));
    await server.end();
  }
}

test("whatever is cut, killed and loaded again, everybody sees everything once and in order", async (context) => {
  const seed = seedOfThisRun();
  context.diagnostic(`ROOKERY_SDK_SEED=${seed}`);
  await run(seed);
});
