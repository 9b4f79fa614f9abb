// Connections that are lost, servers that die, and what people see of it: nothing twice, nothing missing, in order.

import assert from "node:assert/strict";
import { after, afterEach, beforeEach, test } from "node:test";

import { again, group, newcomer, Person, range, until } from "./support/people.js";
import { Proxy } from "./support/proxy.js";
import { Server } from "./support/server.js";

let server: Server;
let proxy: Proxy;
const people: Person[] = [];

beforeEach(async () => {
  server = await Server.start({ "limits.outbox_bytes": 65_536, "limits.connections_per_device": 2 });
  proxy = await Proxy.before(server.url);
});

afterEach(async () => {
  await Promise.all(people.splice(0).map((person) => person.client.stop()));
  await proxy.end();
  await server.end();
});

after(() => assert.equal(people.length, 0));

async function live(name: string, url = proxy.url): Promise<Person> {
  const person = await newcomer(url, name);
  people.push(person);
  await person.client.start();
  return person;
}

async function restart(): Promise<void> {
  await server.kill();
  await server.up();
  proxy.aim(server.url);
}

function assertWhole(person: Person, room: string): void {
  const seqs = person.seqs(room);
  assert.deepEqual(seqs, range(seqs[0]!, seqs[0]! + seqs.length - 1), "each number once and in order");
}

test("a server that is killed between two messages costs neither of them", async () => {
  const [alder, birch] = [await live("alder"), await live("birch")];
  const room = await group(alder, [birch]);
  await until("the room", () => birch.client.rooms.get(room));
  await alder.client.send(room, "before").sent;
  await restart();
  const sendings = ["one", "two", "three"].map((word) => alder.client.send(room, word).sent);
  await Promise.all(sendings);
  for (const person of [alder, birch]) {
    await until("all texts", () => person.texts(room).length === 4);
    assert.deepEqual(person.texts(room), ["before", "one", "two", "three"]);
    assertWhole(person, room);
  }
});

test("more than was missed to be pushed is paged, and shown once and in order", async () => {
  const [alder, birch] = [await live("alder", server.url), await live("birch")];
  const room = await group(alder, [birch]);
  await until("the room", () => birch.client.rooms.get(room)?.live);
  const timeline = birch.client.timeline(room);
  await timeline.load();
  proxy.refuse(true);
  await until("the loss", () => birch.client.connection.state !== "live" && birch.client.connection.state);
  const words = range(1, 620).map((at) => `text ${at}`);
  await Promise.all(words.map((word) => alder.client.send(room, word).sent));
  proxy.refuse(false);
  birch.client.retryNow();
  await until("all texts", () => birch.texts(room).length === 620);
  assert.deepEqual(birch.texts(room), words);
  assertWhole(birch, room);
  assert.deepEqual(timeline.messages.map((message) => message.body), words);
  await until("the room to be live", () => birch.client.rooms.get(room)?.live);
  await alder.client.send(room, "and live again").sent;
  await until("the live one", () => birch.texts(room).length === 621);
});

test("who reads too slowly is told that it lags, and misses nothing", async () => {
  const [alder, birch] = [await live("alder", server.url), await live("birch")];
  const room = await group(alder, [birch]);
  await until("the room", () => birch.client.rooms.get(room)?.live);
  proxy.stick(true);
  // More than the server's queue and all buffers on the way hold.
  const bodies = range(1, 1_000).map((at) => `${at} ${"x".repeat(12_000)}`);
  await Promise.all(bodies.map((body) => alder.client.send(room, body).sent));
  proxy.stick(false);
  await until("all texts", () => birch.texts(room).length === bodies.length, 60_000);
  assert.deepEqual(birch.texts(room), bodies);
  assertWhole(birch, room);
  assert.ok((await server.metric("rookery_sessions_lagged_total")) >= 1, "the queue was dropped");
  assert.ok(birch.stateNames().filter((name) => name === "live").length === 1, "over the same connection");
});

test("a server that drains says when to come back, and nobody comes earlier", async () => {
  const birch = await live("birch");
  let attempt: number | undefined;
  birch.client.on("connection", (state) => {
    if (state.state === "connecting") attempt ??= Date.now();
  });
  const began = Date.now();
  const stopped = server.terminate();
  const waiting = await until("the wait", () => {
    const { connection } = birch.client;
    return connection.state === "waiting" && connection;
  });
  assert.ok(waiting.until.getTime() >= began + 500, "the earliest time that a server names");
  await stopped;
  await server.up();
  proxy.aim(server.url);
  await until("coming back", () => birch.client.connection.state === "live");
  assert.ok(attempt! >= waiting.until.getTime() - 5, "not before the time that was named");
});

test("a connection that is silent for too long is given up, and another one is opened", async () => {
  const birch = await newcomer(proxy.url, "birch", { patience: { silenceMs: 300, answerMs: 300 } });
  people.push(birch);
  await birch.client.start();
  const { said, taken } = proxy;
  await until("three more questions", () => proxy.said >= said + 3);
  assert.equal(birch.client.connection.state, "live", "who answers is not silent");
  proxy.stick(true);
  await until("the loss", () => birch.client.connection.state === "waiting");
  proxy.stick(false);
  await until("coming back", () => birch.client.connection.state === "live");
  assert.ok(proxy.taken > taken);
});

test("without a network nothing is tried, and with one at once", async () => {
  const network = { isThere: true, listeners: new Set<() => void>() };
  const birch = await newcomer(proxy.url, "birch", {
    network: {
      online: () => network.isThere,
      onChange: (listener) => {
        network.listeners.add(listener);
        return () => network.listeners.delete(listener);
      },
    },
  });
  people.push(birch);
  await birch.client.start();
  const room = await group(birch, []);
  network.isThere = false;
  for (const listener of network.listeners) listener();
  assert.equal(birch.client.connection.state, "offline");
  const { sent } = birch.client.send(room, "written in the tunnel");
  birch.states.length = 0;
  birch.client.retryNow();
  assert.equal(birch.client.connection.state, "offline");
  network.isThere = true;
  for (const listener of network.listeners) listener();
  await sent;
  assert.deepEqual(birch.stateNames().filter((name, at, all) => name !== all[at - 1]), ["offline", "connecting", "live"]);
});

test("a client that was replaced stays away, and says so", async () => {
  const birch = await live("birch");
  const others = [again(birch, server.url), again(birch, server.url)];
  people.push(...others);
  for (const other of others) await other.client.start();
  const ended = await until("the end", () => {
    const { connection } = birch.client;
    return connection.state === "ended" && connection;
  });
  assert.equal(ended.closeCode, 4010);
  await birch.client.start();
  assert.equal(birch.client.connection.state, "live", "when the user wants it");
});

test("a session that an admin closes is logged out", async () => {
  const birch = await live("birch");
  const list = (await server.administrate("GET", `/users/${birch.id}/sessions`)) as { items: { session: string }[] };
  await server.administrate("DELETE", `/sessions/${list.items[0]!.session}`);
  await until("the end", () => birch.client.connection.state === "logged_out");
});

test("what is written while nobody answers waits, and goes out in its order", async () => {
  const [alder, birch] = [await live("alder"), await live("birch")];
  const room = await group(alder, [birch]);
  await until("the room", () => birch.client.rooms.get(room));
  await server.kill();
  await until("the loss", () => alder.client.connection.state === "waiting");
  const words = range(1, 40).map((at) => `text ${at}`);
  const sent = words.map((word) => alder.client.send(room, word).sent);
  assert.deepEqual(alder.client.outgoing(room).map(({ body, state }) => `${body} ${state}`), words.map((word) => `${word} pending`));
  await server.up();
  proxy.aim(server.url);
  await Promise.all(sent);
  await until("all texts", () => birch.texts(room).length === 40);
  assert.deepEqual(birch.texts(room), words);
  assert.deepEqual(alder.client.outgoing(), []);
});

test("a budget that is used up delays messages and loses none", async () => {
  const [alder, birch] = [await live("alder"), await live("birch")];
  const room = await group(alder, [birch]);
  await server.administrate("PATCH", "/config", { "limits.sends_per_second": 50, "limits.send_burst": 5 });
  const words = range(1, 40).map((at) => `text ${at}`);
  await Promise.all(words.map((word) => alder.client.send(room, word).sent));
  await until("all texts", () => birch.texts(room).length === 40);
  assert.deepEqual(birch.texts(room), words);
});

test("whoever is muted is not told it once per second: the message rests until they may speak", async () => {
  const [alder, birch] = [await live("alder"), await live("birch")];
  const room = await group(alder, [birch]);
  await until("the room", () => birch.client.rooms.get(room));
  const muted_until = new Date(Date.now() + 3_600_000).toISOString();
  await alder.client.rest.rooms.putMember(room, birch.id, { muted_until });
  const { sent } = birch.client.send(room, "mumble");
  const resting = await until("the wait", () => birch.client.outgoing(room).find((outgoing) => outgoing.retryAt));
  assert.equal(resting.error?.code, "muted");
  assert.equal(resting.state, "pending");
  await alder.client.rest.rooms.putMember(room, birch.id, { muted_until: null });
  await sent;
});

test("who was taken out and added again while away sees the room from there on", async () => {
  const [alder, birch] = [await live("alder", server.url), await live("birch")];
  const room = await group(alder, [birch]);
  await until("the room", () => birch.client.rooms.get(room)?.live);
  await alder.client.send(room, "seen").sent;
  await until("the first", () => birch.texts(room).length === 1);
  proxy.refuse(true);
  await until("the loss", () => birch.client.connection.state === "waiting");
  await alder.client.rest.rooms.removeMember(room, birch.id);
  await alder.client.send(room, "not for birch").sent;
  await alder.client.rest.rooms.putMember(room, birch.id);
  await alder.client.send(room, "welcome back").sent;
  proxy.refuse(false);
  birch.client.retryNow();
  await until("the last", () => birch.texts(room).includes("welcome back"));
  assert.deepEqual(birch.texts(room), ["seen", "welcome back"]);
  await alder.client.send(room, "live").sent;
  await until("the live one", () => birch.texts(room).at(-1) === "live");
});

test("a bot that kept its cursors is told what happened while it was not there", async () => {
  const [alder, birch] = [await live("alder"), await live("birch")];
  const room = await group(alder, [birch]);
  await until("the room", () => birch.client.rooms.get(room));
  await alder.client.send(room, "one").sent;
  await until("the first", () => birch.texts(room).length === 1);
  const cursors = birch.client.cursors();
  await birch.client.stop();
  await alder.client.send(room, "two").sent;
  await alder.client.send(room, "three").sent;
  const later = again(birch, proxy.url, { cursors });
  people.push(later);
  await later.client.start();
  await until("the others", () => later.texts(room).length === 2);
  assert.deepEqual(later.texts(room), ["two", "three"]);
});
