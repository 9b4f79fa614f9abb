// The outbox: what waits survives a reload, tabs may share it, and every attempt is the same.

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { IDBFactory } from "fake-indexeddb";

import { IndexedDbOutbox, MemoryOutbox, type OutboxEntry, type OutboxStore, RookeryError } from "../src/node/index.js";
import { again, group, newcomer, Person, range, until } from "./support/people.js";
import { Proxy } from "./support/proxy.js";
import { recorder } from "./support/recorder.js";
import { Server } from "./support/server.js";

let server: Server;
let proxy: Proxy;
const people: Person[] = [];

beforeEach(async () => {
  server = await Server.start();
  proxy = await Proxy.before(server.url);
});

afterEach(async () => {
  await Promise.all(people.splice(0).map((person) => person.client.stop()));
  await proxy.end();
  await server.end();
});

/** Each call is another tab: its own connection to the database of this origin. */
function tabsOf(origin: IDBFactory): () => IndexedDbOutbox {
  return () => new IndexedDbOutbox("rookery-outbox", origin);
}

function kept(person: Person): Person {
  people.push(person);
  return person;
}

const entry = (client_id: string, more: Partial<OutboxEntry> = {}): OutboxEntry => ({
  account: "a",
  room: "r",
  client_id,
  body: client_id,
  at: 1,
  ...more,
});

for (const [name, make] of [
  ["memory", () => new MemoryOutbox()],
  ["IndexedDB", () => new IndexedDbOutbox("outbox", new IDBFactory() as never)],
] as [string, () => OutboxStore][]) {
  test(`an outbox in ${name} keeps its order, and what is not its account's apart`, async () => {
    const store = make();
    for (const id of ["one", "two", "three"]) await store.add(entry(id));
    await store.add(entry("other", { account: "b" }));
    await store.replace(entry("one", { seen: 7 }));
    await store.replace(entry("nobody"));
    await store.remove("two");
    await store.remove("nobody");
    await store.add(entry("four"));
    assert.deepEqual(await store.load("a"), [entry("one", { seen: 7 }), entry("three"), entry("four")]);
    assert.deepEqual(await store.load("b"), [entry("other", { account: "b" })]);
    assert.deepEqual(await store.load("c"), []);
  });
}

test("what was written offline is sent after a reload, in its order and once", async () => {
  const tab = tabsOf(new IDBFactory() as never);
  const alder = kept(await newcomer(proxy.url, "alder", { outbox: tab() }));
  const room = await group(alder, []);
  proxy.refuse(true);
  const started = alder.client.start();
  const words = range(1, 20).map((at) => `text ${at}`);
  for (const word of words) await alder.client.send(room, word).stored;
  await Promise.all([alder.client.stop(), assert.rejects(started, (error) => error instanceof RookeryError && error.code === "stopped")]);
  proxy.refuse(false);
  const reloaded = kept(again(alder, proxy.url, { outbox: tab(), cursors: { [room]: 0 } }));
  const ready = reloaded.client.start();
  await until("what waits", () => reloaded.client.outgoing(room).length === words.length);
  assert.deepEqual(reloaded.client.outgoing(room).map((outgoing) => outgoing.body), words);
  await ready;
  await until("all texts", () => reloaded.texts(room).length === words.length);
  assert.deepEqual(reloaded.texts(room), words);
  assert.deepEqual(reloaded.client.outgoing(), []);
  await reloaded.client.stop();
  assert.deepEqual(await tab().load(`${proxy.url} ${alder.id}`), []);
});

test("what is written after a reload goes behind what waits since before it", async () => {
  const tab = tabsOf(new IDBFactory() as never);
  const alder = kept(await newcomer(proxy.url, "alder", { outbox: tab() }));
  const room = await group(alder, []);
  for (const word of ["one", "two"]) await alder.client.send(room, word).stored;
  await alder.client.stop();
  const reloaded = kept(again(alder, proxy.url, { outbox: tab(), cursors: { [room]: 0 } }));
  const ready = reloaded.client.start();
  reloaded.client.send(room, "three");
  await ready;
  await until("all texts", () => reloaded.texts(room).length === 3);
  assert.deepEqual(reloaded.texts(room), ["one", "two", "three"]);
});

test("nothing new is sent before it is known what an earlier life has left", async () => {
  let found = (): void => {};
  const searched = new Promise<void>((resolve) => (found = resolve));
  class SlowOutbox extends MemoryOutbox {
    override async load(account: string): Promise<OutboxEntry[]> {
      await searched;
      return super.load(account);
    }
  }
  const birch = kept(await newcomer(server.url, "birch"));
  const room = await group(birch, []);
  const outbox = new SlowOutbox();
  await outbox.add(entry("8c5e3ff0-5b29-4c57-9f0d-6a0f5f0a7a11", { account: `${server.url} ${birch.id}`, room, body: "old" }));
  const { socket, said } = recorder();
  const reloaded = kept(again(birch, server.url, { outbox, socket, cursors: { [room]: 0 } }));
  const sent = reloaded.client.send(room, "new").sent;
  await reloaded.client.start();
  await until("the room", () => reloaded.client.rooms.get(room)?.live);
  assert.ok(!said.some((frame) => frame.type === "send"));
  found();
  await sent;
  await until("both", () => reloaded.texts(room).length === 2);
  assert.deepEqual(reloaded.texts(room), ["old", "new"]);
});

test("the second of two messages is not sent before the first has an answer", async () => {
  const { socket, said } = recorder();
  const alder = kept(await newcomer(server.url, "alder", { socket }));
  const [room, other] = [await group(alder, []), await group(alder, [])];
  await alder.client.start();
  await until("the rooms", () => alder.client.rooms.get(other) && alder.client.rooms.get(room));
  const acked: string[] = [];
  const sendings = ["one", "two", "three"].map((word) => alder.client.send(room, word).sent.then(() => acked.push(word)));
  const elsewhere = alder.client.send(other, "elsewhere").sent;
  await Promise.all([...sendings, elsewhere]);
  assert.deepEqual(acked, ["one", "two", "three"]);
  const bodies = said.filter((frame) => frame.type === "send").map((frame) => frame.body);
  assert.deepEqual(bodies.slice(0, 2).sort(), ["elsewhere", "one"], "another room does not wait");
  assert.deepEqual(bodies.filter((body) => body !== "elsewhere"), ["one", "two", "three"]);
});

test("two tabs with one outbox double nothing, lose nothing, and keep the order of each", async () => {
  const tab = tabsOf(new IDBFactory() as never);
  const first = kept(await newcomer(proxy.url, "alder", { outbox: tab(), patience: { othersMs: 50 } }));
  const room = await group(first, []);
  const second = kept(again(first, proxy.url, { outbox: tab(), patience: { othersMs: 50 } }));
  await Promise.all([first.client.start(), second.client.start()]);
  const words = (name: string): string[] => range(1, 30).map((at) => `${name} ${at}`);
  const sent: Promise<unknown>[] = [];
  for (const [at, word] of words("first").entries()) {
    sent.push(first.client.send(room, word).sent, second.client.send(room, words("second")[at]!).sent);
    if (at % 10 === 4) proxy.cutAfter(200);
    if (at % 10 === 9) proxy.cut();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  first.client.retryNow();
  second.client.retryNow();
  await Promise.all(sent);
  for (const person of [first, second]) {
    await until("all texts", () => person.texts(room).length === 60);
    for (const name of ["first", "second"]) {
      assert.deepEqual(person.texts(room).filter((text) => text.startsWith(name)), words(name));
    }
  }
  await until("an empty outbox", async () => (await tab().load(`${proxy.url} ${first.id}`)).length === 0);
});

test("what a tab leaves behind is sent by one that stays", async () => {
  const tab = tabsOf(new IDBFactory() as never);
  const first = kept(await newcomer(proxy.url, "alder", { outbox: tab() }));
  const room = await group(first, []);
  // Both tabs have the same address; only the first one's network is gone.
  const offline = { online: () => false, onChange: () => () => {} };
  const dead = kept(again(first, proxy.url, { outbox: tab(), network: offline }));
  const stays = kept(again(first, proxy.url, { outbox: tab(), patience: { othersMs: 200 } }));
  await stays.client.start();
  await until("the room", () => stays.client.rooms.get(room));
  for (const word of ["one", "two"]) await dead.client.send(room, word).stored;
  await until("both texts", () => stays.texts(room).length === 2);
  assert.deepEqual(stays.texts(room), ["one", "two"]);
});

test("what was refused for good stays to be seen, also after a reload, and can be sent again", async () => {
  const tab = tabsOf(new IDBFactory() as never);
  const [alder, birch] = [kept(await newcomer(server.url, "alder")), kept(await newcomer(server.url, "birch", { outbox: tab() }))];
  const room = await group(alder, [birch]);
  await birch.client.start();
  await alder.client.rest.rooms.change(room, { archived: true });
  const { sent, client_id } = birch.client.send(room, "too late");
  await assert.rejects(sent, (error) => error instanceof RookeryError && error.code === "archived");
  await birch.client.stop();
  const reloaded = kept(again(birch, server.url, { outbox: tab() }));
  await reloaded.client.start();
  const failed = await until("the failed one", () => reloaded.client.outgoing(room)[0]);
  assert.deepEqual([failed.state, failed.error?.code, failed.client_id], ["failed", "archived", client_id]);
  await alder.client.rest.rooms.change(room, { archived: false });
  reloaded.client.resend(client_id);
  await until("the text", () => reloaded.texts(room).length === 1);
  assert.deepEqual(reloaded.client.outgoing(), []);
});

for (const [name, answerMs] of [["with the next connection", 60_000], ["on the same connection when no answer comes", 300]] as const) {
  test(`what was lost on the way is sent again ${name}`, async () => {
    let losses = 0;
    const { socket, said } = recorder((frame) => frame.type === "send" && (losses += 1) === 1);
    const alder = kept(await newcomer(proxy.url, "alder", { socket, patience: { answerMs } }));
    const birch = kept(await newcomer(server.url, "birch"));
    const room = await group(alder, [birch]);
    await Promise.all([alder.client.start(), birch.client.start()]);
    await until("the room", () => alder.client.rooms.get(room)?.live);
    const { sent } = alder.client.send(room, "lost at first");
    await until("the first attempt", () => said.some((frame) => frame.type === "send"));
    await birch.client.send(room, "meanwhile").sent;
    await until("what happened meanwhile", () => alder.texts(room).length === 1);
    if (answerMs === 60_000) proxy.cut();
    await until("the second attempt", () => said.filter((frame) => frame.type === "send").length === 2, 10_000);
    await sent;
    await until("the event", () => alder.texts(room).length === 2);
    const attempts = said.filter((frame) => frame.type === "send").map(({ client_id, seen, body }) => ({ client_id, seen, body }));
    assert.deepEqual(attempts[0], attempts[1], "the same `client_id` and the same `seen`");
    assert.equal(typeof attempts[0]!.seen, "number");
    assert.equal(said.filter((frame) => frame.type === "hello").length, answerMs === 60_000 ? 2 : 1);
  });
}

test("what is refused for now is not tried again before the time that the server names", async () => {
  const { socket, said } = recorder();
  const alder = kept(await newcomer(proxy.url, "alder", { socket }));
  const room = await group(alder, []);
  await alder.client.start();
  await until("the room", () => alder.client.rooms.get(room)?.live);
  await server.administrate("PATCH", "/config", { "limits.sends_per_second": 1, "limits.send_burst": 1 });
  const waits: number[] = [];
  alder.client.on("outgoing", ({ error, retryAt }) => {
    if (error?.code === "rate_limited" && retryAt && error.retryAfterMs) waits.push(retryAt.getTime());
  });
  await Promise.all(["one", "two", "three"].map((word) => alder.client.send(room, word).sent));
  assert.ok(waits.length > 0, "the budget was too small for three");
  for (const wait of waits) assert.ok(!said.some((frame) => frame.type === "send" && frame.at > wait - 200 && frame.at < wait - 5));
  const attempts = said.filter((frame) => frame.type === "send").length;
  assert.equal(attempts, 3 + waits.length, "one attempt each, and one more for each refusal");
});

test("a message has one number, over the connection and over REST", async () => {
  const alder = kept(await newcomer(server.url, "alder"));
  const room = await group(alder, []);
  await alder.client.start();
  await until("the room", () => alder.client.rooms.get(room));
  const { client_id, sent } = alder.client.send(room, "mine");
  const receipt = await sent;
  const repeat = await alder.client.rest.rooms.post(room, { client_id, body: "mine" });
  assert.deepEqual([repeat.seq, repeat.repeat], [receipt.seq, true]);
  await assert.rejects(
    alder.client.rest.rooms.post(room, { client_id, body: "something else" }),
    (error) => error instanceof RookeryError && error.code === "conflict",
  );
});
