// The rules without a server: waits, close codes, cursors, counts, and that the types are as the documents say.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import type { EventFrame } from "../src/node/index.js";
import { verdict, verdictOfStatus } from "../src/live/closing.js";
import { Follower, type FollowerEffects } from "../src/live/follower.js";
import { usableName } from "../src/media/source.js";
import { clientId } from "../src/outbox/client-id.js";
import { Pace } from "../src/live/pace.js";
import { Turns } from "../src/live/turns.js";
import { Unread } from "../src/rooms/unread.js";
import { seeded } from "./support/seeded.js";

const project = new URL("../../../../", import.meta.url);
const docs = (name: string): string => readFileSync(new URL(`docs/${name}`, project), "utf8");

test("the generated types are as openapi.json and asyncapi.json say", () => {
  const script = new URL("sdk/typescript/scripts/generate.mjs", project);
  const { status, stderr } = spawnSync(process.execPath, [fileURLToPath(script), "--check"], { encoding: "utf8" });
  assert.equal(status, 0, stderr);
});

test("what browsers load needs neither Node nor another package", () => {
  const loaded = new Set<string>();
  const load = (file: URL): void => {
    if (loaded.has(file.href)) return;
    loaded.add(file.href);
    for (const [, name] of readFileSync(file, "utf8").matchAll(/from "([^"]+)"/g)) {
      assert.ok(name!.startsWith("."), `${file.pathname} imports ${name}`);
      load(new URL(name!, file));
    }
  };
  load(new URL("../src/index.js", import.meta.url));
  assert.ok(loaded.size > 20);
});

test("close codes are obeyed as the table of protocol.md says", () => {
  const [, table] = docs("protocol.md").split("| close code | meaning | come back? |");
  const rows = table!.split("\n\n")[0]!.split("\n").slice(2);
  let seen = 0;
  for (const row of rows) {
    const [, codes, , answer] = row.split("|").map((cell) => cell.trim());
    for (const code of codes!.split(", ").map(Number)) {
      seen += 1;
      const wanted = answer!.startsWith("fix") || answer === "no" ? "stay_away" : answer === "log in again" ? "log_in_again" : "come_back";
      const later = answer === "yes, later" ? "_later" : "";
      assert.equal(verdict(code), `${wanted}${later}`, `${code}: ${answer}`);
    }
  }
  assert.ok(seen >= 15, `only ${seen} codes were found in the table`);
  assert.equal(verdict(1006), "come_back");
  assert.deepEqual([401, 403, 429, 503, 502].map(verdictOfStatus), ["log_in_again", "stay_away", "come_back", "come_back", "come_back"]);
});

test("waits are anything up to a ceiling that doubles from 0.5 s to 30 s, and start again", () => {
  const random = seeded(1);
  const pace = new Pace(random);
  const highest = new Pace(() => 0.999999);
  const lowest = new Pace(() => 0);
  const ceilings = [0.5, 1, 2, 4, 8, 16, 30, 30].map((seconds) => seconds * 1_000);
  for (const ceiling of ceilings) {
    assert.ok(pace.failed() <= ceiling);
    assert.equal(Math.round(highest.failed()), ceiling);
    assert.equal(lowest.failed(), 0);
  }
  pace.worked();
  assert.ok(pace.failed() <= 500);
  for (let tries = 0; tries < 100; tries += 1) {
    const wait = pace.asked(1_000);
    assert.ok(wait >= 1_000 && wait <= 1_200, "never earlier than the server asked");
  }
});

const event = (seq: number): EventFrame => ({ room: "r", seq, kind: "message", at: "", from: "u", client_id: `c${seq}` });

function follower(cursor: number): { follower: Follower; done: string[] } {
  const done: string[] = [];
  const effects: FollowerEffects = {
    show: (shown) => done.push(`show ${shown.seq}`),
    sync: () => done.push("sync"),
    page: () => done.push("page"),
    wait: (_, ms) => done.push(`wait ${ms}`),
    live: () => done.push("live"),
    forgot: (_, to) => done.push(`forgot ${to}`),
  };
  return { follower: new Follower("r", cursor, effects), done };
}

test("each event is shown once and in order", () => {
  const { follower: room, done } = follower(3);
  room.appeared(3);
  for (const seq of [3, 4, 4, 5, 2]) room.event(event(seq));
  assert.deepEqual(done, ["live", "show 4", "show 5"]);
});

test("a hole is never shown: the log says what is in it", () => {
  const { follower: room, done } = follower(3);
  room.resumed();
  room.event(event(6));
  room.event(event(7));
  assert.deepEqual(done, ["page"]);
  room.paged(event(5));
  room.paged(event(6));
  room.pagedAll();
  assert.deepEqual(done, ["page", "show 5", "show 6", "sync"], "what the log leaves out is not for us");
  room.event(event(7));
  room.synced(7);
  assert.deepEqual(done.slice(4), ["show 7", "live"]);
});

test("`synced` beyond what was shown is not live", () => {
  const { follower: room, done } = follower(3);
  room.resumed();
  room.synced(5);
  assert.deepEqual(done, ["page"]);
  room.pagedAll();
  assert.deepEqual(done, ["page", "wait undefined"], "a log that has nothing is asked again later, not at once");
  room.again();
  assert.deepEqual(done.at(-1), "sync");
});

test("a log that became shorter is followed from its end", () => {
  const { follower: room, done } = follower(30);
  room.resumed();
  room.gap(31, 12);
  assert.equal(room.cursor, 12);
  assert.deepEqual(done, ["forgot 12", "sync"]);
  room.event(event(13));
  assert.deepEqual(done.at(-1), "show 13");
});

test("who lagged asks from the cursor, and who could not be read later", () => {
  const { follower: room, done } = follower(3);
  room.appeared(3);
  room.lagged();
  room.unread(40);
  room.again();
  room.synced(3);
  assert.deepEqual(done, ["live", "sync", "wait 40", "sync", "live"]);
  room.lost();
  room.event(event(4));
  room.lagged();
  assert.deepEqual(done.length, 5, "without a connection nothing is asked");
});

test("ids are random UUIDs, also where only random bytes are to be had", () => {
  assert.match(clientId(), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.equal(clientId((bytes) => bytes.fill(0xff)), "ffffffff-ffff-4fff-bfff-ffffffffffff");
  assert.notEqual(clientId(), clientId());
});

test("some at once, the others in their turn, and none twice", () => {
  const turns = new Turns(2);
  const ran: string[] = [];
  for (const name of ["a", "b", "c", "d", "c"]) turns.take(name, () => ran.push(name));
  assert.deepEqual(ran, ["a", "b"]);
  turns.take("a", () => ran.push("a again"));
  turns.done("b");
  turns.done("a");
  assert.deepEqual(ran, ["a", "b", "a again", "c", "d"]);
});

test("unread are the messages after the mark, as far as can be known", () => {
  const unread = new Unread(10, 4, 5);
  assert.deepEqual([unread.count, unread.isExact], [5, true]);
  for (const seq of [10, 11, 12, 12]) unread.message(seq);
  assert.equal(unread.count, 7);
  unread.mark(11);
  unread.mark(2);
  assert.deepEqual([unread.count, unread.read, unread.isExact], [1, 11, true]);
  const other = new Unread(10, 4, 5);
  other.mark(7);
  assert.equal(other.isExact, false, "only the server knows how many were between");
  other.message(11);
  other.recount(10, 7, 2);
  assert.deepEqual([other.count, other.isExact], [3, true]);
  const many = new Unread(0, 0, 0);
  for (let seq = 1; seq <= 5_000; seq += 1) many.message(seq);
  assert.equal(many.count, 5_000);
  many.mark(4_990);
  assert.equal(many.count, 10);
});

test("a file gets a name that the server takes, as near to its own as possible", () => {
  for (const [given, name] of [
    ["photo.jpg", "photo.jpg"],
    ["  two  words .txt ", "two  words .txt"],
    ["../../etc/passwd", ".._.._etc_passwd"],
    ["C:\\windows\\x.exe", "C:_windows_x.exe"],
    ["photo\u202egnp.exe", "photognp.exe"],
    ["a\u0000b\r\nc\u2028d\ufeff", "ab  c d"],
    ["...", "file"],
    ["\u200b", "file"],
    ["👩‍🌾.png", "👩‍🌾.png"],
  ] as const) assert.equal(usableName(given), name, JSON.stringify(given));
  const long = usableName(`${"ä".repeat(300)}.tar.gz`);
  assert.ok(new TextEncoder().encode(long).length <= 255 && long.endsWith("ä.gz"), long);
});
