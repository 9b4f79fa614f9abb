// WebSockets: ours for Node byte by byte, and the platform's with a ticket.

import assert from "node:assert/strict";
import { createServer, type Server as Listener } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";

import { createClient as createForBrowser, RookeryError } from "../src/index.js";
import { closing, FrameReader, type Incoming, masked, OPCODE } from "../src/node/frames.js";
import { createClient } from "../src/node/index.js";
import { group, newcomer, Person, until } from "./support/people.js";
import { Proxy } from "./support/proxy.js";
import { seeded } from "./support/seeded.js";
import { Server } from "./support/server.js";

/** A frame as a server sends it. */
function unmasked(opcode: number, payload: Buffer, final = true): Buffer {
  const head = payload.length < 126 ? Buffer.alloc(2) : payload.length < 65_536 ? Buffer.alloc(4) : Buffer.alloc(10);
  head[0] = (final ? 0x80 : 0) | opcode;
  head[1] = head.length === 2 ? payload.length : head.length === 4 ? 126 : 127;
  if (head.length === 4) head.writeUInt16BE(payload.length, 2);
  if (head.length === 10) head.writeBigUInt64BE(BigInt(payload.length), 2);
  return Buffer.concat([head, payload]);
}

function readAll(pieces: readonly Buffer[]): Incoming[] {
  const reader = new FrameReader();
  return pieces.flatMap((piece) => [...reader.read(piece)]);
}

test("frames are the same however the bytes come", () => {
  const texts = ["", "a", "ä🪶".repeat(40), "x".repeat(300), "y".repeat(70_000)];
  const stream = Buffer.concat([
    ...texts.map((text) => unmasked(OPCODE.text, Buffer.from(text))),
    unmasked(OPCODE.text, Buffer.from("in "), false),
    unmasked(OPCODE.ping, Buffer.from("?")),
    unmasked(OPCODE.continuation, Buffer.from("two "), false),
    unmasked(OPCODE.continuation, Buffer.from("pieces")),
    unmasked(OPCODE.close, closing(1012, "drain")),
  ]);
  const expected: Incoming[] = [
    ...texts.map((text): Incoming => ({ kind: "text", text })),
    { kind: "ping", payload: Buffer.from("?") },
    { kind: "text", text: "in two pieces" },
    { kind: "close", code: 1012, reason: "drain" },
  ];
  const random = seeded(7);
  for (let round = 0; round < 50; round += 1) {
    const pieces: Buffer[] = [];
    for (let at = 0; at < stream.length; ) {
      const next = Math.min(stream.length, at + 1 + Math.floor(random() * (round === 0 ? 1 : 4_000)));
      pieces.push(stream.subarray(at, next));
      at = next;
    }
    assert.deepEqual(readAll(pieces), expected);
  }
});

test("who breaks the protocol is told which part of it", () => {
  const cases: [number, Buffer][] = [
    [1002, Buffer.from([0xc1, 0x00])],
    [1002, Buffer.from([0x81, 0x80])],
    [1002, Buffer.from([0x83, 0x00])],
    [1002, unmasked(OPCODE.continuation, Buffer.from("of nothing"))],
    [1002, Buffer.concat([unmasked(OPCODE.text, Buffer.from("a"), false), unmasked(OPCODE.text, Buffer.from("b"))])],
    [1002, unmasked(OPCODE.ping, Buffer.alloc(126))],
    [1002, unmasked(OPCODE.ping, Buffer.alloc(1), false)],
    [1002, unmasked(OPCODE.close, Buffer.alloc(1))],
    [1003, unmasked(OPCODE.binary, Buffer.alloc(1))],
    [1007, unmasked(OPCODE.text, Buffer.from([0xff]))],
    [1009, Buffer.from([0x81, 0x7f, 0, 0, 0, 1, 0, 0, 0, 0])],
  ];
  for (const [code, bytes] of cases) {
    assert.throws(() => readAll([bytes]), (error: { code?: number }) => error.code === code, bytes.toString("hex").slice(0, 40));
  }
});

test("what a client sends is masked, and says the same when that is taken off", () => {
  for (const length of [0, 1, 125, 126, 65_535, 65_536]) {
    const frame = masked(OPCODE.text, Buffer.from("z".repeat(length)));
    const start = length < 126 ? 2 : length < 65_536 ? 4 : 10;
    assert.equal(frame[1]! & 0x80, 0x80);
    const mask = frame.subarray(start, start + 4);
    const plain = frame.subarray(start + 4).map((byte, at) => byte ^ mask[at & 3]!);
    assert.equal(Buffer.from(plain).toString(), "z".repeat(length));
  }
});

/** A server of HTTP that answers everything like this. */
async function answering(status: number, headers: Record<string, string>): Promise<{ url: string; listener: Listener }> {
  const listener = createServer((_, answer) => answer.writeHead(status, headers).end());
  listener.on("upgrade", (_, socket) => {
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.end(`HTTP/1.1 ${status} No\r\n${lines.join("")}Content-Length: 0\r\nConnection: close\r\n\r\n`);
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${(listener.address() as AddressInfo).port}`, listener };
}

for (const [status, headers, wanted] of [
  [401, {}, "logged_out"],
  [403, {}, "ended"],
  [503, { "Retry-After": "7" }, "waiting"],
  [429, { "Retry-After": "7" }, "waiting"],
] as [number, Record<string, string>, string][]) {
  test(`a handshake that is refused with ${status} is ${wanted}`, async () => {
    const { url, listener } = await answering(status, headers);
    const client = createClient({ url, token: "rk_none" });
    const started = client.start();
    started.catch(() => {});
    await until(wanted, () => client.connection.state === wanted);
    if (client.connection.state === "waiting") {
      const wait = client.connection.until.getTime() - Date.now();
      assert.ok(wait > 6_000 && wait <= 8_400, `Retry-After says 7 s, and the wait is ${wait} ms`);
    }
    await client.stop();
    await assert.rejects(started, (error) => error instanceof RookeryError);
    await new Promise((resolve) => listener.close(resolve));
  });
}

test("the platform's own WebSocket connects with a ticket, as in a browser", { skip: typeof WebSocket === "undefined" }, async () => {
  const server = await Server.start();
  const proxy = await Proxy.before(server.url);
  try {
    const birch = await newcomer(server.url, "birch");
    const { token, user } = birch.client;
    const page = new Person(createForBrowser({ url: proxy.url, token: token!, user: user! }));
    await Promise.all([birch.client.start(), page.client.start()]);
    const room = await group(birch, []);
    await until("the room", () => page.client.rooms.get(room)?.live);
    await page.client.send(room, "from the page").sent;
    proxy.cut();
    await birch.client.send(room, "while it was away").sent;
    await until("both", () => page.texts(room).length === 2);
    assert.deepEqual(page.texts(room), ["from the page", "while it was away"]);
    await birch.client.rest.endLogin("current");
    await until("the end of the login", () => page.client.connection.state === "logged_out");
    await Promise.all([birch.client.stop(), page.client.stop()]);
  } finally {
    await proxy.end();
    await server.end();
  }
});
