// The programs of docs/sdk.md, taken from the page as they stand there, against the real server.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { createClient } from "../src/node/index.js";
import { Person, newcomer, until } from "./support/people.js";
import { Server } from "./support/server.js";

const page = new URL("../../../../docs/sdk.md", import.meta.url);
const PASSWORD = "gears and feathers";

/** Those of the page, in their order. */
function programs(): string[] {
  const blocks = readFileSync(page, "utf8").split("<!-- The next block is run by sdk/typescript/test/page.test.ts. -->\n```js\n");
  return blocks.slice(1).map((block) => block.split("\n```")[0]!);
}

test("the bot of the page greets, answers, and ends when it is told to", async () => {
  const program = programs()[0]!;
  assert.ok(program.split("\n").length <= 22, "a bot of about twenty lines");
  // Within the package its own name leads to what was built of it.
  const file = fileURLToPath(new URL("../bot.mjs", import.meta.url));
  writeFileSync(file, program);
  const server = await Server.start();
  const birch = await newcomer(server.url, "birch");
  await createClient({ url: server.url }).rest.createAccount({ handle: "echo-bot", password: PASSWORD });
  const child = spawn(process.execPath, [file, server.url, "echo-bot", PASSWORD], { stdio: ["ignore", "pipe", "inherit"] });
  try {
    let said = "";
    child.stdout.on("data", (bytes: Buffer) => (said += bytes.toString()));
    await until("the bot", () => said.includes("live"));
    await converse(birch);
    const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    assert.equal(await ended, 0, "it ends by itself when it has stopped");
    assert.deepEqual(said.trim().split("\n").slice(-1), ["stopped"]);
  } finally {
    child.kill("SIGKILL");
    await birch.client.stop();
    await server.end();
  }
});

async function converse(birch: Person): Promise<void> {
  const [bot] = (await birch.client.rest.users("echo-bot")).items;
  await birch.client.start();
  const room = (await birch.client.rest.rooms.direct(bot!.id)).id;
  await until("the greeting", () => birch.texts(room).includes("Here I am."));
  const { seq } = await birch.client.send(room, "hello").sent;
  await until("the answer", () => birch.messages(room).some((event) => event.reply_to === seq && event.body === "You said: hello"));
}

test("the program of the page that sends and saves files does both", async () => {
  // Within the package its own name leads to what was built of it.
  const program = fileURLToPath(new URL("../files.mjs", import.meta.url));
  writeFileSync(program, programs()[1]!);
  const folder = mkdtempSync(join(tmpdir(), "rookery-sdk-"));
  const bytes = Buffer.alloc(5 * 1_024 * 1_024, "leaf and twig ");
  writeFileSync(join(folder, "large.txt"), bytes);
  const server = await Server.start();
  const birch = await newcomer(server.url, "birch");
  const handle = "sender-of-files";
  const sender = await createClient({ url: server.url }).rest.createAccount({ handle, password: PASSWORD });
  const room = (await birch.client.rest.rooms.create({ kind: "group", name: "nest", members: [sender.id] })).id;
  const child = spawn(process.execPath, [program, server.url, handle, PASSWORD, room, join(folder, "large.txt")], { cwd: folder, stdio: ["ignore", "pipe", "inherit"] });
  try {
    let said = "";
    child.stdout.on("data", (read: Buffer) => (said += read.toString()));
    const [, id] = await until("the file", () => /^saved (\S+) file 5242880$/m.exec(said) ?? undefined);
    assert.match(said, /^5242880 of 5242880$/m);
    assert.ok(readFileSync(join(folder, `${id}.saved`)).equals(bytes));
    const { items } = await birch.client.rest.rooms.messages(room);
    assert.deepEqual([items.at(-1)?.body, items.at(-1)?.attachments?.[0]?.name], ["Have a look at this.", "large.txt"]);
  } finally {
    child.kill("SIGKILL");
    await birch.client.stop();
    await server.end();
    rmSync(folder, { recursive: true });
  }
});
