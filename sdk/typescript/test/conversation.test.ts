// What people do with a client when nothing goes wrong.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { RookeryError } from "../src/node/index.js";
import { again, group, newcomer, Person, range, until } from "./support/people.js";
import { Server } from "./support/server.js";

let server: Server;

before(async () => {
  server = await Server.start();
});

after(() => server.end());

async function together(...people: Person[]): Promise<void> {
  await Promise.all(people.map((person) => person.client.start()));
}

test("two people talk, and each sees everything once and in order", async () => {
  const [alder, birch] = [await newcomer(server.url, "alder"), await newcomer(server.url, "birch")];
  const room = await group(alder, [birch]);
  await together(alder, birch);
  const sent = [];
  for (const word of ["one", "two", "three"]) sent.push(alder.client.send(room, word).sent);
  const receipts = await Promise.all(sent);
  await birch.client.send(room, "four").sent;
  for (const person of [alder, birch]) {
    await until("four texts", () => person.texts(room).length === 4);
    assert.deepEqual(person.texts(room), ["one", "two", "three", "four"]);
    const seqs = person.seqs(room);
    assert.deepEqual(seqs, range(seqs[0]!, seqs[0]! + 3));
  }
  const first = alder.messages(room)[0]!;
  assert.equal(first.seq, receipts[0]!.seq);
  assert.equal(first.client_id, receipts[0]!.client_id);
  assert.deepEqual(alder.client.outgoing(), []);
  assert.deepEqual([...alder.problems, ...birch.problems], []);
  await Promise.all([alder.client.stop(), birch.client.stop()]);
  assert.deepEqual(alder.stateNames(), ["stopped", "connecting", "live", "stopped"]);
});

test("a message is pending, then sent, then an event, and never twice on the screen", async () => {
  const alder = await newcomer(server.url, "alder");
  const room = await group(alder, []);
  await together(alder);
  const timeline = alder.client.timeline(room);
  await timeline.load();
  const shown: string[][] = [];
  timeline.onChange(() => {
    shown.push([...timeline.messages.map((message) => message.body), ...timeline.outgoing.map(({ body, state }) => `${body} ${state}`)]);
  });
  const states: string[] = [];
  alder.client.on("outgoing", (outgoing, { gone }) => states.push(`${outgoing.state}${gone ? ", gone" : ""}`));
  await alder.client.send(room, "hello").sent;
  await until("the message", () => timeline.messages.length === 1);
  assert.equal(states[0], "pending");
  assert.equal(states.at(-1), "sent, gone");
  for (const screen of shown) assert.equal(screen.filter((line) => line.startsWith("hello")).length, 1, JSON.stringify(shown));
  assert.deepEqual(timeline.outgoing, []);
  await alder.client.stop();
});

test("the list of rooms is kept current by events", async () => {
  const [alder, birch] = [await newcomer(server.url, "alder"), await newcomer(server.url, "birch")];
  await together(alder, birch);
  const joined: string[] = [];
  const left: string[] = [];
  birch.client.on("joined", (room) => joined.push(room.name));
  birch.client.on("left", (room) => left.push(room));
  const room = await group(alder, [birch], "fern");
  await until("the room", () => birch.client.rooms.get(room)?.members === 2);
  assert.deepEqual(joined, ["fern"]);
  await alder.client.send(room, "a").sent;
  await alder.client.send(room, "b").sent;
  await until("two unread", () => birch.client.rooms.get(room)?.unread === 2);
  assert.equal(birch.client.rooms.get(room)?.lastMessage?.body, "b");
  const other = await group(alder, [birch], "moss");
  await until("the other room first", () => birch.client.rooms.list()[0]?.id === other);
  birch.client.markRead(room);
  assert.equal(birch.client.rooms.get(room)?.unread, 0, "at once");
  await until("the mark at the server", async () => (await birch.client.rest.rooms.get(room)).unread === 0);
  await alder.client.rest.rooms.change(room, { topic: "ferns only" });
  await until("the topic", () => birch.client.rooms.get(room)?.topic === "ferns only");
  await alder.client.rest.rooms.removeMember(room, birch.id);
  await until("the end of it", () => left.includes(room) && !birch.client.rooms.get(room));
  await Promise.all([alder.client.stop(), birch.client.stop()]);
});

test("a timeline has pages, edits, deletions and reactions", async () => {
  const [alder, birch] = [await newcomer(server.url, "alder"), await newcomer(server.url, "birch")];
  const room = await group(alder, [birch]);
  await together(alder, birch);
  for (const at of range(1, 25)) await alder.client.send(room, `text ${at}`).sent;
  const timeline = birch.client.timeline(room);
  await timeline.load(10);
  assert.deepEqual(timeline.messages.map((message) => message.body), range(16, 25).map((at) => `text ${at}`));
  await timeline.loadOlder(10);
  await timeline.loadOlder(10);
  assert.equal(timeline.hasOlder, false);
  assert.deepEqual(timeline.messages.map((message) => message.body), range(1, 25).map((at) => `text ${at}`));
  const [first, second, third] = timeline.messages;
  await alder.client.rest.rooms.edit(room, first!.seq, "changed");
  await alder.client.rest.rooms.deleteMessage(room, second!.seq);
  await alder.client.rest.rooms.react(room, third!.seq, "🪶");
  await birch.client.rest.rooms.react(room, third!.seq, "🪶");
  await until("the changes", () => timeline.messages[2]?.reactions[0]?.count === 2);
  assert.equal(timeline.messages[0]?.body, "changed");
  assert.equal(timeline.messages[1]?.deleted, true);
  assert.deepEqual(timeline.messages[2]?.reactions, [{ emoji: "🪶", count: 2, mine: true }]);
  await timeline.loadAround(third!.seq, 5);
  assert.equal(timeline.hasNewer, true);
  while (timeline.hasNewer) await timeline.loadNewer(10);
  assert.equal(timeline.messages.at(-1)?.body, "text 25");
  const present = await birch.client.rest.rooms.messages(room, { limit: 200 });
  const shown = timeline.messages;
  assert.deepEqual(shown, present.items.slice(-shown.length));
  await Promise.all([alder.client.stop(), birch.client.stop()]);
});

test("who types and who is there is told, and forgotten again", async () => {
  const [alder, birch] = [await newcomer(server.url, "alder"), await newcomer(server.url, "birch")];
  const room = await group(alder, [birch]);
  await together(alder, birch);
  const typing: boolean[] = [];
  birch.client.on("typing", (told) => typing.push(told.on));
  birch.client.watch({ users: [alder.id], rooms: [room] });
  await until("alder is there", () => birch.client.presence(alder.id)?.status === "online");
  alder.client.typing(room);
  alder.client.typing(room);
  await until("typing", () => typing.length === 1);
  await alder.client.send(room, "done").sent;
  await until("not typing", () => typing.length === 2);
  assert.deepEqual(typing, [true, false]);
  await alder.client.stop();
  await until("alder is away", () => birch.client.presence(alder.id)?.status !== "online");
  await birch.client.stop();
});

test("what the server refuses is an error with its code", async () => {
  const [alder, birch] = [await newcomer(server.url, "alder"), await newcomer(server.url, "birch")];
  const room = await group(alder, []);
  await together(birch);
  const wrong = birch.client.send(room, "let me in");
  await assert.rejects(wrong.sent, (error) => error instanceof RookeryError && ["not_found", "not_member"].includes(error.code));
  const [failed] = birch.client.outgoing(room);
  assert.equal(failed?.state, "failed");
  await birch.client.discard(wrong.client_id);
  assert.deepEqual(birch.client.outgoing(), []);
  await assert.rejects(
    birch.client.rest.rooms.create({ kind: "group", name: "" }),
    (error) => error instanceof RookeryError && error.code === "bad_request" && error.status === 400 && error.fields[0]?.pointer === "/name",
  );
  await assert.rejects(
    birch.client.rest.changePassword({ current: "not this one", new: "another good one" }),
    (error) => error instanceof RookeryError && error.status !== undefined,
  );
  assert.equal(birch.client.connection.state, "live", "a wrong password is not the end of the login");
  await birch.client.stop();
});

test("a login that ends elsewhere is the end of the connection", async () => {
  const alder = await newcomer(server.url, "alder");
  await together(alder);
  const device = alder.client.device!;
  await alder.client.rest.endLogin(device);
  await until("logged out", () => alder.client.connection.state === "logged_out");
  await assert.rejects(alder.client.start(), (error) => error instanceof RookeryError && error.code === "unauthenticated");
});

test("a token that REST refuses is the end of the login, connected or not", async () => {
  const alder = await newcomer(server.url, "alder");
  const elsewhere = again(alder, server.url);
  await alder.client.rest.endLogin("current");
  await assert.rejects(elsewhere.client.rest.me(), (error) => error instanceof RookeryError && error.status === 401);
  assert.equal(elsewhere.client.connection.state, "logged_out");
});

test("after logging out nothing is left", async () => {
  const alder = await newcomer(server.url, "alder");
  const room = await group(alder, []);
  await together(alder);
  await alder.client.send(room, "the last one").sent;
  await alder.client.logOut();
  assert.equal(alder.client.connection.state, "logged_out");
  assert.equal(alder.client.token, undefined);
  assert.deepEqual(alder.client.rooms.list(), []);
  await assert.rejects(alder.client.rest.me(), (error) => error instanceof RookeryError && error.code === "unauthenticated");
});
