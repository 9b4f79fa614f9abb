// What a screen shows while pages are read, rooms are many, lines are cut and backups are restored.

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import type { ClientOptions, Timeline } from "../src/api.js";
import { again, group, newcomer, Person, range, until } from "./support/people.js";
import { Proxy } from "./support/proxy.js";
import { recorder } from "./support/recorder.js";
import { Server } from "./support/server.js";

let server: Server;
let proxy: Proxy;
const people: Person[] = [];

beforeEach(async () => {
  server = await Server.start({ "limits.outbox_bytes": 65_536 });
  proxy = await Proxy.before(server.url);
});

afterEach(async () => {
  await Promise.all(people.splice(0).map((person) => person.client.stop()));
  await proxy.end();
  await server.end();
});

async function comer(name: string, options: ClientOptions = {}, url = proxy.url): Promise<Person> {
  const person = await newcomer(url, name, options);
  people.push(person);
  return person;
}

async function live(name: string, options: ClientOptions = {}, url = proxy.url): Promise<Person> {
  const person = await comer(name, options, url);
  await person.client.start();
  return person;
}

const bodies = (timeline: Timeline): string[] => timeline.messages.map((message) => message.body);

test("a timeline that was read before the connection misses nothing of what happened in between", async () => {
  const alder = await live("alder", {}, server.url);
  const birch = await comer("birch");
  const room = await group(alder, [birch]);
  await alder.client.send(room, "one").sent;
  const timeline = birch.client.timeline(room);
  await timeline.load();
  await alder.client.send(room, "two").sent;
  await alder.client.rest.rooms.edit(room, timeline.messages[0]!.seq, "one, changed");
  await birch.client.start();
  await alder.client.send(room, "three").sent;
  await until("all of it", () => timeline.messages.length === 3);
  assert.deepEqual(bodies(timeline), ["one, changed", "two", "three"]);
});

test("what happened to the room stands between its messages once, live and however it is paged", async () => {
  const [alder, birch] = [await live("alder", {}, server.url), await live("birch")];
  const room = await group(alder, [birch]);
  await until("the room", () => birch.client.rooms.get(room)?.live);
  const told = birch.client.timeline(room);
  await told.load();
  for (const at of range(1, 6)) {
    await alder.client.send(room, `text ${at}`).sent;
    await alder.client.rest.rooms.change(room, { topic: `topic ${at}` });
    await alder.client.rest.rooms.react(room, at, "👍").catch(() => {});
  }
  const { items } = await birch.client.rest.rooms.events(room, 0);
  const all = items.filter(({ kind }) => kind === "member" || kind === "room").map(({ seq }) => seq);
  assert.ok(all.length >= 7, all.join());
  await until("the last", () => told.notices.at(-1)?.seq === all.at(-1));
  const paged = birch.client.timeline(room);
  await paged.load(2);
  while (paged.hasOlder) await paged.loadOlder(1);
  const around = birch.client.timeline(room);
  await around.loadAround(paged.messages[2]?.seq ?? 0, 1);
  while (around.hasNewer) await around.loadNewer(2);
  while (around.hasOlder) await around.loadOlder(2);
  for (const timeline of [told, paged, around]) assert.deepEqual(timeline.notices.map(({ seq }) => seq), all);
  paged.trim(1);
  assert.ok(paged.notices.every(({ seq }) => seq > (paged.messages[0]?.seq ?? 0)));
});

test("a timeline that is read while others write has every message once, as the server has it", async () => {
  const [alder, birch] = [await live("alder", {}, server.url), await live("birch")];
  const room = await group(alder, [birch]);
  await until("the room", () => birch.client.rooms.get(room)?.live);
  const sent = range(1, 200).map((at) => alder.client.send(room, `text ${at}`).sent);
  const early = birch.client.timeline(room);
  await sent[20];
  await early.load(10);
  await sent[60];
  const late = birch.client.timeline(room);
  await Promise.all([late.load(20), early.loadOlder(5), early.loadOlder(100)]);
  await late.loadOlder(200);
  await Promise.all(sent);
  const all = range(1, 200).map((at) => `text ${at}`);
  for (const timeline of [early, late]) {
    await until("the last", () => bodies(timeline).at(-1) === "text 200");
    while (timeline.hasOlder) await timeline.loadOlder(200);
    assert.deepEqual(bodies(timeline), all);
  }
});

test("what happens while a page is on its way is in it", async () => {
  let isHeld = true;
  let arrived = false;
  let release = (): void => {};
  const gate = new Promise<void>((resolve) => (release = resolve));
  const slow: typeof fetch = async (input, init) => {
    const answer = await fetch(input, init);
    if (!isHeld || !String(input).includes("/messages")) return answer;
    const text = await answer.text();
    arrived = true;
    await gate;
    return new Response(text, { status: answer.status, headers: answer.headers });
  };
  const [alder, birch] = [await live("alder", {}, server.url), await live("birch", { fetch: slow })];
  const room = await group(alder, [birch]);
  await until("the room", () => birch.client.rooms.get(room)?.live);
  const { seq } = await alder.client.send(room, "one").sent;
  const timeline = birch.client.timeline(room);
  const loaded = timeline.load();
  await until("the page", () => arrived);
  await alder.client.rest.rooms.edit(room, seq, "one, changed");
  await alder.client.rest.rooms.react(room, seq, "🪶");
  const { seq: last } = await alder.client.send(room, "two").sent;
  await until("the events", () => birch.client.cursors()[room] === last);
  isHeld = false;
  release();
  await loaded;
  assert.deepEqual(bodies(timeline), ["one, changed", "two"]);
  assert.equal(timeline.messages[0]?.reactions[0]?.count, 1);
});

test("who reacts twice has reacted once, whenever the page was read", async () => {
  const [alder, birch] = [await live("alder", {}, server.url), await live("birch")];
  const room = await group(alder, [birch]);
  await until("the room", () => birch.client.rooms.get(room)?.live);
  const { seq } = await alder.client.send(room, "look").sent;
  const { rooms } = alder.client.rest;
  const timelines = [birch.client.timeline(room)];
  await timelines[0]!.load();
  await rooms.react(room, seq, "🪶");
  timelines.push(birch.client.timeline(room));
  await timelines[1]!.load();
  await rooms.react(room, seq, "🪶");
  await rooms.unreact(room, seq, "🌲");
  await birch.client.rest.rooms.react(room, seq, "🌲");
  for (const timeline of timelines) {
    await until("the reactions", () => timeline.messages[0]?.reactions.length === 2);
    const reactions = [{ emoji: "🪶", count: 1, mine: false }, { emoji: "🌲", count: 1, mine: true }];
    assert.deepEqual(timeline.messages[0]?.reactions, reactions);
  }
  await rooms.unreact(room, seq, "🪶");
  for (const timeline of timelines) await until("one less", () => timeline.messages[0]?.reactions.length === 1);
});

test("objects that did not change stay the same, and lists that did are new", async () => {
  const alder = await live("alder");
  const room = await group(alder, []);
  const timeline = alder.client.timeline(room);
  for (const word of ["one", "two"]) await alder.client.send(room, word).sent;
  await timeline.load();
  const before = timeline.messages;
  assert.equal(timeline.messages, before);
  let changes = 0;
  const stop = timeline.onChange(() => (changes += 1));
  await alder.client.rest.rooms.edit(room, before[1]!.seq, "two, changed");
  await until("the change", () => timeline.messages !== before && bodies(timeline)[1] === "two, changed");
  assert.equal(timeline.messages[0], before[0]);
  assert.ok(changes >= 1);
  stop();
  timeline.trim(1);
  assert.deepEqual([bodies(timeline), timeline.hasOlder], [["two, changed"], true]);
  await timeline.loadOlder();
  assert.deepEqual([bodies(timeline), timeline.hasOlder], [["one", "two, changed"], false]);
  timeline.close();
  const closed = timeline.messages;
  await alder.client.send(room, "three").sent;
  assert.equal(timeline.messages, closed, "a closed one is left alone");
});

test("a mark that is set without a connection reaches the server with the next one", async () => {
  const [alder, birch] = [await live("alder", {}, server.url), await live("birch")];
  const room = await group(alder, [birch]);
  await until("the room", () => birch.client.rooms.get(room)?.live);
  await until("the room at alder's", () => alder.client.rooms.get(room)?.live);
  const { seq } = await alder.client.send(room, "read me").sent;
  await until("the text", () => birch.texts(room).length === 1);
  proxy.refuse(true);
  await until("the loss", () => birch.client.connection.state === "waiting");
  birch.client.markRead(room);
  assert.equal(birch.client.rooms.get(room)?.unread, 0);
  const marks: number[] = [];
  alder.client.on("marks", (told) => told.user === birch.id && told.read && marks.push(told.read));
  proxy.refuse(false);
  birch.client.retryNow();
  await until("the mark at alder's", () => marks.includes(seq));
});

test("a mark that was lost with the connection is sent again", async () => {
  let losses = 0;
  const { socket, said } = recorder((frame) => frame.type === "mark" && (losses += 1) === 1);
  const [alder, birch] = [await live("alder", {}, server.url), await live("birch", { socket })];
  const room = await group(alder, [birch]);
  await until("the room", () => birch.client.rooms.get(room)?.live);
  await alder.client.send(room, "read me").sent;
  await until("the text", () => birch.texts(room).length === 1);
  birch.client.markRead(room);
  await until("the mark on its way", () => said.some((frame) => frame.type === "mark"));
  proxy.cut();
  await until("the mark at the server", async () => (await alder.client.rest.rooms.members(room)).items.some((member) => member.user.id === birch.id && member.read! >= 4));
});

test("what is delivered is confirmed, if that is wanted", async () => {
  const [alder, birch] = [await live("alder"), await live("birch", { confirmDelivery: true })];
  const room = await group(alder, [birch]);
  const delivered: number[] = [];
  alder.client.on("marks", (told) => told.user === birch.id && told.delivered && delivered.push(told.delivered));
  // Marks are told once: to those who are in the room by then.
  for (const person of [alder, birch]) await until("the room", () => person.client.rooms.get(room)?.live);
  const { seq } = await alder.client.send(room, "for birch").sent;
  await until("the mark", () => delivered.at(-1) === seq);
});

test("whom one watches is watched again after a loss", async () => {
  const [alder, birch] = [await live("alder", {}, server.url), await live("birch")];
  const room = await group(alder, [birch]);
  birch.client.watch({ users: [alder.id], rooms: [room] });
  await until("presence", () => birch.client.presence(alder.id)?.status === "online");
  proxy.cut();
  await until("nothing known", () => birch.client.presence(alder.id) === undefined);
  birch.client.retryNow();
  await until("presence again", () => birch.client.presence(alder.id)?.status === "online");
  const typing: boolean[] = [];
  birch.client.on("typing", (told) => typing.push(told.on));
  alder.client.typing(room);
  await until("typing", () => typing[0]);
  proxy.cut();
  await until("no more of it", () => typing.length === 2 && typing[1] === false);
});

test("rooms by the hundred that lag at once are all caught up", async () => {
  const [alder, birch] = [await live("alder", {}, server.url), await live("birch")];
  const rooms: string[] = [];
  for (const at of range(1, 100)) rooms.push(await group(alder, [birch], `nest ${at}`));
  await until("all rooms", () => rooms.every((room) => birch.client.rooms.get(room)?.live), 60_000);
  await until("their details", () => birch.client.rooms.list().every((room) => room.members === 2));
  proxy.stick(true);
  for (const round of range(1, 8)) {
    await Promise.all(rooms.map((room) => alder.client.send(room, `${round} ${"x".repeat(12_000)}`).sent));
  }
  proxy.stick(false);
  await until("everything", () => rooms.every((room) => birch.texts(room).length === 8), 60_000);
  assert.ok((await server.metric("rookery_sessions_lagged_total")) >= 1);
  for (const room of rooms) assert.deepEqual(birch.texts(room).map((text) => text[0]), [..."12345678"]);
  assert.deepEqual(birch.problems, []);
});

test("more rooms than go into one frame are all resumed", async () => {
  await server.end();
  server = await Server.start({ "limits.frame_bytes": 4_096, "limits.body_bytes": 1_024 });
  proxy.aim(server.url);
  const [alder, birch] = [await live("alder", {}, server.url), await live("birch")];
  const rooms: string[] = [];
  for (const at of range(1, 120)) rooms.push(await group(alder, [birch], `nest ${at}`));
  await until("all rooms", () => rooms.every((room) => birch.client.rooms.get(room)?.live), 60_000);
  proxy.refuse(true);
  await until("the loss", () => birch.client.connection.state === "waiting");
  await Promise.all(rooms.map((room) => alder.client.send(room, "while away").sent));
  proxy.refuse(false);
  birch.client.retryNow();
  await until("everything", () => rooms.every((room) => birch.texts(room).length === 1), 60_000);
  assert.deepEqual(birch.problems, []);
});

test("when a backup is restored, what it does not have is forgotten, and what follows is shown", async () => {
  const [alder, birch] = [await live("alder"), await live("birch")];
  const room = await group(alder, [birch]);
  await alder.client.send(room, "kept").sent;
  await server.kill();
  server.backUp();
  await server.up();
  proxy.aim(server.url);
  for (const word of ["lost", "lost too"]) await alder.client.send(room, word).sent;
  await until("all", () => birch.texts(room).length === 3);
  const timeline = birch.client.timeline(room);
  await timeline.load();
  const forgotten: number[] = [];
  birch.client.on("forgotten", ({ to }) => forgotten.push(to));
  await server.kill();
  server.restore();
  await server.up();
  proxy.aim(server.url);
  await alder.client.send(room, "after all").sent;
  await until("the new one", () => bodies(timeline).at(-1) === "after all");
  assert.deepEqual(bodies(timeline), ["kept", "after all"]);
  assert.equal(forgotten.length, 1);
});

test("who logs in after somebody else finds nothing of theirs", async () => {
  const alder = await live("alder");
  const room = await group(alder, []);
  await alder.client.send(room, "mine").sent;
  const timeline = alder.client.timeline(room);
  await timeline.load();
  await alder.client.stop();
  alder.client.send(room, "never sent");
  const birch = await comer("birch");
  const { handle } = await birch.client.rest.me();
  await alder.client.logIn({ login: handle, password: "wind in the twigs" });
  assert.deepEqual([alder.client.rooms.list(), alder.client.outgoing(), alder.client.cursors()], [[], [], {}]);
  await alder.client.start();
  assert.equal(alder.client.user, birch.id);
  assert.equal(alder.client.rooms.get(room), undefined);
});

test("a page that is loaded again has its rooms, and their history on demand", async () => {
  const [alder, birch] = [await live("alder"), await live("birch")];
  const room = await group(alder, [birch]);
  for (const word of ["one", "two"]) await alder.client.send(room, word).sent;
  await birch.client.stop();
  const reloaded = again(birch, proxy.url);
  people.push(reloaded);
  await reloaded.client.start();
  await reloaded.client.rooms.ready;
  const summary = reloaded.client.rooms.get(room);
  assert.deepEqual([summary?.unread, summary?.lastMessage?.body, summary?.members], [2, "two", 2]);
  const timeline = reloaded.client.timeline(room);
  await timeline.load();
  assert.deepEqual(bodies(timeline), ["one", "two"]);
  assert.deepEqual(reloaded.texts(room), [], "what was before is history, not news");
});
