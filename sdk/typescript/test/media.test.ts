// Files: uploads that outlive servers and clients, messages that wait for theirs, and what is downloaded.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";

import { IDBFactory } from "fake-indexeddb";

import { type ClientOptions, IndexedDbOutbox, openFile, RookeryError, type UploadProgress } from "../src/node/index.js";
import { again, group, newcomer, Person, range, until } from "./support/people.js";
import { Proxy } from "./support/proxy.js";
import { Server } from "./support/server.js";

const MIB = 1_024 * 1_024;
/** Four parts and some bytes. */
const LARGE = 17 * MIB + 11;
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

/** What was asked for over HTTP. */
interface Asked {
  method: string;
  path: string;
  at: number;
  status: number;
}

/** A `fetch` that writes down what it did; `before` may keep a request waiting, `after` do something with the answer. */
function watched(hooks: { before?: (asked: Asked) => Promise<void> | void; after?: (asked: Asked) => Promise<void> | void } = {}) {
  const asked: Asked[] = [];
  const watchedFetch: typeof fetch = async (input, init) => {
    const one: Asked = { method: init?.method ?? "GET", path: new URL(String(input)).pathname, at: Date.now(), status: 0 };
    asked.push(one);
    await hooks.before?.(one);
    const answer = await fetch(input, init);
    one.status = answer.status;
    await hooks.after?.(one);
    return answer;
  };
  return { asked, fetch: watchedFetch, parts: () => asked.filter(({ method, status }) => method === "PUT" && status > 0 && status < 300).map(({ path }) => Number(path.split("/").at(-1))) };
}

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

function reloaded(person: Person, options: ClientOptions = {}): Person {
  const fresh = again(person, proxy.url, options);
  people.push(fresh);
  return fresh;
}

const bytesOf = async (blob: Blob): Promise<Buffer> => Buffer.from(await blob.arrayBuffer());
const bytesOfChance = (length: number): Buffer<ArrayBuffer> => Buffer.from(new Uint8Array(randomBytes(length)).buffer);
const sum = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");

test("a server that is killed in the midst of an upload costs no part that it had, and every byte arrives", async () => {
  const { fetch: watching, parts } = watched();
  const alder = await live("alder", { fetch: watching });
  const birch = await live("birch");
  const room = await group(alder, [birch]);
  const bytes = bytesOfChance(LARGE);
  const seen: UploadProgress[] = [];
  let restarting: Promise<void> | undefined;
  const media = await alder.client.media.upload(room, { name: "large.bin", source: new Blob([bytes]) }, {
    onProgress: (progress) => {
      seen.push(progress);
      if (progress.sent === 0 || restarting) return;
      restarting = server.kill().then(() => server.up()).then(() => proxy.aim(server.url));
    },
  });
  await restarting;
  assert.equal(media.state, "ready");
  assert.equal(media.sha256, sum(bytes));
  assert.deepEqual([...new Set(parts())].sort(), range(0, 4));
  assert.ok(parts().length <= 5 + 3, "at most what was on its way goes twice");
  assert.ok(seen.some(({ error }) => error?.code === "unreachable"), "why it does not go on is told");
  assert.deepEqual([seen.at(-1)?.sent, seen.at(-1)?.error], [LARGE, undefined]);
  await alder.client.send(room, "", { attachments: [media.id] }).sent;
  const event = await until("the message", () => birch.messages(room)[0]);
  assert.deepEqual(event.attachments?.map(({ id, kind, name, size }) => ({ id, kind, name, size })), [{ id: media.id, kind: "file", name: "large.bin", size: LARGE }]);
  const got = await birch.client.media.content(event.attachments![0]!);
  assert.equal(sum(await bytesOf(got)), sum(bytes));
  const { url } = await birch.client.media.link(media.id);
  assert.equal(sum(Buffer.from(await (await fetch(url)).arrayBuffer())), sum(bytes), "a link needs no token");
});

test("with the id of an upload that an earlier life began only what is missing is sent", async () => {
  const alder = await comer("alder");
  const room = await group(alder, []);
  const source = new Blob([bytesOfChance(LARGE)]);
  const controller = new AbortController();
  let id = "";
  const begun = alder.client.media.upload(room, { name: "a.bin", source }, {
    signal: controller.signal,
    onProgress: (progress) => {
      id = progress.media;
      if (progress.sent >= 8 * MIB) controller.abort();
    },
  });
  await assert.rejects(begun, (error) => error instanceof RookeryError && error.code === "stopped");
  const { fetch: watching, parts, asked } = watched();
  const later = reloaded(alder, { fetch: watching });
  const there = (await later.client.media.get(id)).parts;
  assert.ok(there.length >= 2, String(there));
  const media = await later.client.media.upload(room, { name: "a.bin", source }, { id });
  assert.deepEqual([media.id, media.state], [id, "ready"]);
  // What was on its way when the first life ended may have come after it was asked for.
  assert.ok(parts().length < 5 && parts().every((part) => !there.includes(part)), `${there} were there, and ${parts()} were sent`);
  assert.ok(!asked.some(({ method, path }) => method === "POST" && path.endsWith("/media")));
  const again = await later.client.media.upload(room, { name: "a.bin", source }, { id: "01890000-0000-7000-8000-000000000000" });
  assert.notEqual(again.id, id, "what is not there any more is begun anew");
});

test("what the server does not take now is not sent again before the time that it names", async () => {
  const spent = new Set<string>();
  // The budget is used up before each first request: on a slow machine it would be full again before the next part.
  const spend = async (one: Asked): Promise<void> => {
    const first = `${one.method} ${one.path}`;
    if (room === "" || spent.has(first)) return;
    spent.add(first);
    const headers = { authorization: `Bearer ${alder.client.token}` };
    while ((await fetch(new URL("/api/v1/me", proxy.url), { headers })).status !== 429);
    one.at = Date.now();
  };
  const { fetch: watching, asked } = watched({ before: spend });
  let room = "";
  const alder = await comer("alder", { fetch: watching });
  const made = await group(alder, []);
  await server.administrate("PATCH", "/config", { "limits.requests_per_second": 1, "limits.request_burst": 2 });
  room = made;
  const media = await alder.client.media.upload(room, { name: "a.bin", source: new Blob([bytesOfChance(LARGE)]) });
  assert.equal(media.state, "ready");
  const refused = asked.filter(({ status }) => status === 429);
  assert.ok(refused.length > 0, "nothing was refused");
  for (const one of refused) {
    const next = asked.find(({ path, method, at }) => path === one.path && method === one.method && at > one.at);
    assert.ok(next && next.at - one.at >= 995, `${one.method} ${one.path} again after ${next && next.at - one.at} ms`);
  }
});

test("what is refused for good says why, and a file that has become unreadable is told from a server that is away", async () => {
  const alder = await comer("alder");
  const room = await group(alder, []);
  const refused = (code: string) => (error: unknown) => error instanceof RookeryError && error.code === code;
  await assert.rejects(alder.client.media.upload(room, { name: "a", source: new Blob([]) }), refused("bad_request"));
  const vast = { size: 2 ** 40, read: async () => new Uint8Array(0) };
  await assert.rejects(alder.client.media.upload(room, { name: "a", source: vast }), refused("too_large"));
  const gone = { size: 100 * MIB, read: async () => Promise.reject(new Error("gone")) };
  await assert.rejects(alder.client.media.upload(room, { name: "a", source: gone }), refused("unusable"));
  await assert.rejects(alder.client.media.get("01890000-0000-7000-8000-000000000000"), refused("not_found"));
});

test("a message waits for its files, what is written after it does not, and both arrive once", async () => {
  let release = (): void => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  const { fetch: watching } = watched({ before: ({ method }) => (method === "PUT" ? held : undefined) });
  const alder = await live("alder", { fetch: watching });
  const birch = await live("birch");
  const room = await group(alder, [birch]);
  await until("the room", () => alder.client.rooms.get(room) && birch.client.rooms.get(room));
  const text = Buffer.from("a few words in a file");
  const picture = alder.client.send(room, "Look", { attachments: [{ name: "../notes\u202e.txt", source: new Blob([text], { type: "text/plain" }) }] });
  await alder.client.send(room, "meanwhile").sent;
  const waiting = await until("the upload", () => alder.client.outgoing(room).find((one) => one.attachments?.[0]?.state === "uploading"));
  assert.deepEqual([waiting.state, waiting.attachments?.[0]?.size, waiting.attachments?.[0]?.sent], ["pending", text.length, 0]);
  release();
  const { seq } = await picture.sent;
  await until("both", () => birch.texts(room).length === 2);
  assert.deepEqual(birch.texts(room), ["meanwhile", "Look"]);
  const timeline = birch.client.timeline(room);
  await timeline.load();
  const [file] = timeline.messages.find((message) => message.seq === seq)!.attachments!;
  assert.deepEqual([file!.name, file!.kind, file!.size], [".._notes.txt", "file", text.length]);
  assert.deepEqual(await bytesOf(await birch.client.media.content(file!)), text);
  await alder.client.rest.rooms.deleteMessage(room, seq);
  await until("the deletion", () => timeline.messages.find((message) => message.seq === seq)?.deleted);
  assert.equal(timeline.messages.find((message) => message.seq === seq)?.attachments, undefined);
  await assert.rejects(birch.client.media.content(file!), (error) => error instanceof RookeryError && error.code === "not_found");
});

test("a message with files that was written without a network is sent after a reload", async () => {
  const origin = new IDBFactory() as never;
  const tab = (): IndexedDbOutbox => new IndexedDbOutbox("rookery-outbox", origin);
  const alder = await comer("alder", { outbox: tab() });
  const room = await group(alder, []);
  const [first, second] = [bytesOfChance(5 * MIB), bytesOfChance(100)];
  const names = (bytes: Buffer<ArrayBuffer>, name: string) => ({ name, source: new Blob([bytes]) });
  await alder.client.send(room, "two files", { attachments: [names(first, "first.bin"), names(second, "second.bin")] }).stored;
  assert.deepEqual(alder.client.outgoing(room)[0]!.attachments!.map((file) => file.kept), [true, true]);
  await alder.client.stop();
  const later = reloaded(alder, { outbox: tab(), cursors: { [room]: 0 } });
  await later.client.start();
  const event = await until("the message", () => later.messages(room)[0]);
  assert.deepEqual(event.attachments!.map((file) => file.name), ["first.bin", "second.bin"]);
  for (const [at, bytes] of [first, second].entries()) assert.deepEqual(await bytesOf(await later.client.media.content(event.attachments![at]!)), bytes);
  assert.deepEqual(later.client.outgoing(), []);
  await later.client.stop();
  assert.equal(await countFiles(origin), 0, "no bytes are left in the outbox");
});

test("an upload goes on after a reload where it was", async () => {
  const origin = new IDBFactory() as never;
  const tab = (): IndexedDbOutbox => new IndexedDbOutbox("rookery-outbox", origin);
  const alder = await live("alder", { outbox: tab() });
  const room = await group(alder, []);
  const bytes = bytesOfChance(LARGE);
  const sending = alder.client.send(room, "", { attachments: [{ name: "large.bin", source: new Blob([bytes]) }] });
  const sent = (): number => alder.client.outgoing(room)[0]?.attachments?.[0]?.sent ?? 0;
  await until("a part", () => sent() > 0);
  await Promise.all([alder.client.stop(), assert.rejects(sending.sent)]);
  const { fetch: watching, parts, asked } = watched();
  const later = reloaded(alder, { outbox: tab(), fetch: watching, cursors: { [room]: 0 } });
  await later.client.start();
  const event = await until("the message", () => later.messages(room)[0]);
  assert.ok(parts().length < 5, `${parts().length} parts were sent after the reload`);
  assert.ok(!asked.some(({ method, path }) => method === "POST" && path.endsWith("/media")), "it is the same upload");
  assert.equal(sum(await bytesOf(await later.client.media.content(event.attachments![0]!))), sum(bytes));
});

test("bytes for which the outbox has no room are sent, and said to be lost by a reload", async () => {
  const origin = new IDBFactory() as never;
  const tab = (): IndexedDbOutbox => new IndexedDbOutbox("rookery-outbox", origin, 1_000);
  const alder = await comer("alder", { outbox: tab() });
  const room = await group(alder, []);
  const files = [600, 600].map((size, at) => ({ name: `${at}.bin`, source: new Blob([bytesOfChance(size)]) }));
  const { client_id, stored } = alder.client.send(room, "too much", { attachments: files });
  await stored;
  assert.deepEqual(alder.client.outgoing(room)[0]!.attachments!.map((file) => file.kept), [true, false]);
  await alder.client.stop();
  const later = reloaded(alder, { outbox: tab() });
  await later.client.start();
  const failed = await until("the refusal", () => later.client.outgoing(room).find((one) => one.state === "failed"));
  assert.deepEqual([failed.client_id, failed.error?.code], [client_id, "unusable"]);
  assert.deepEqual(failed.attachments!.map((file) => file.state), ["ready", "lost"]);
  const [first] = failed.attachments!;
  await later.client.discard(client_id);
  assert.deepEqual(later.client.outgoing(), []);
  await until("the removal", () => later.client.media.get(first!.media!).then(() => false, (error: RookeryError) => error.code === "not_found"));
  await later.client.stop();
  assert.equal(await countFiles(origin), 0);
});

test("files that the server has collected before the message was sent are uploaded once more", async () => {
  let isFirst = true;
  const { fetch: watching, parts } = watched({
    after: async ({ path, status }) => {
      if (!path.endsWith("/complete") || status !== 200 || !isFirst) return;
      isFirst = false;
      await alder.client.media.remove(path.split("/").at(-2)!);
    },
  });
  const alder = await live("alder", { fetch: watching });
  const room = await group(alder, []);
  await until("the room", () => alder.client.rooms.get(room));
  const bytes = bytesOfChance(1_000);
  await alder.client.send(room, "late", { attachments: [{ name: "a.bin", source: new Blob([bytes]) }] }).sent;
  const event = await until("the message", () => alder.messages(room)[0]);
  assert.deepEqual(parts(), [0, 0]);
  assert.deepEqual(await bytesOf(await alder.client.media.content(event.attachments![0]!)), bytes);
});

test("a file on the disk is sent part by part, and one that was discarded is not sent", async () => {
  const folder = mkdtempSync(join(tmpdir(), "rookery-sdk-"));
  const path = join(folder, "on disk.bin");
  const bytes = bytesOfChance(9 * MIB);
  writeFileSync(path, bytes);
  const file = await openFile(path);
  try {
    const alder = await live("alder");
    const room = await group(alder, []);
    await alder.client.send(room, "", { attachments: [file] }).sent;
    const event = await until("the message", () => alder.messages(room)[0]);
    assert.deepEqual([event.attachments![0]!.name, event.attachments![0]!.size], ["on disk.bin", bytes.length]);
    assert.equal(sum(await bytesOf(await alder.client.media.content(event.attachments![0]!))), sum(bytes));
    const other = alder.client.send(room, "", { attachments: [file] });
    await until("the upload", () => alder.client.outgoing(room)[0]?.attachments?.[0]?.media);
    await Promise.all([alder.client.discard(other.client_id), assert.rejects(other.sent)]);
    await alder.client.send(room, "the end").sent;
    await until("the end", () => alder.texts(room).includes("the end"));
    assert.deepEqual(alder.texts(room), ["", "the end"]);
  } finally {
    await file.close();
    rmSync(folder, { recursive: true });
  }
});

async function countFiles(origin: IDBFactory): Promise<number> {
  const database = await new Promise<IDBDatabase>((resolve, reject) => {
    const request = origin.open("rookery-outbox") as unknown as IDBOpenDBRequest;
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error!);
  });
  const count = database.transaction("files").objectStore("files").count();
  return new Promise((resolve) => (count.onsuccess = () => resolve(count.result)));
}
