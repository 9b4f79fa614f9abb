// The main views, as pictures for the documentation; and that each of them can be read by everybody.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, BrowserContextOptions } from "playwright-core";
import type { Client, NewFile } from "../../sdk/typescript/src/index.js";
import { Server } from "../../sdk/typescript/test/support/server.js";
import { account, group, launch, PATIENCE_MS, post, Window } from "./support/browser.js";
import { lake, wav } from "./support/files.js";
import { Board } from "./support/operators.js";

const FOLDER = process.env["ROOKERY_PICTURES"];
let server: Server;
let browser: Browser;
let swift: Client | undefined;

before(async () => {
  server = await Server.start();
  browser = await launch();
  await furnish(server.url);
});
after(async () => {
  await swift?.stop();
  await browser?.close();
  await server?.end();
});

async function furnish(url: string): Promise<void> {
  const [wren, birch, robin, heron] = await Promise.all([
    account(url, "wren", "Wren Alder"), account(url, "birch", "Birch Holloway"), account(url, "robin", "Robin Marsh"), account(url, "heron", "Heron Vale"),
  ]);
  const walk = await group(wren, "Sunday walk", [birch, robin, heron]);
  const first = await post(birch, walk, "Who is in for the **lake path** on Sunday? The forecast is kind: https://weather.example/lake");
  await post(robin, walk, "Me! I can bring:\n- the big flask\n- plum cake\n- a map that is *almost* up to date");
  await post(robin, walk, "We could meet at the boathouse at nine.");
  const answer = await post(wren, walk, "Nine is good. @heron, will you bring the dog?", { reply_to: first, mentions: [heron.user ?? ""] });
  await post(heron, walk, "She has been packed since Thursday 🐕", { reply_to: answer });
  await post(birch, walk, "> We could meet at the boathouse at nine.\n\nPerfect. See you there.");
  await birch.rest.rooms.react(walk, answer, "🎉");
  await robin.rest.rooms.react(walk, answer, "🎉");
  await wren.rest.rooms.react(walk, first, "👍");
  await wren.rest.rooms.change(walk, { topic: "Every other week, whatever the weather" });
  const books = await group(heron, "Book club", [wren, birch]);
  await post(heron, books, "Chapter seven until Wednesday?");
  await post(birch, books, "Make it eight, it ends on a cliff. @wren, agreed?", { mentions: [wren.user ?? ""] });
  const direct = (await robin.rest.rooms.direct(wren.user ?? "")).id;
  await post(robin, direct, "Did you find the other glove?");
  await furnishPhotographs(robin, heron, wren);
  const news = (await birch.rest.rooms.create({ kind: "channel", name: "Announcements", members: [wren.user ?? ""] })).id;
  await post(birch, news, "The workshop is closed on Friday.");
}

async function furnishPhotographs(robin: Client, heron: Client, wren: Client): Promise<void> {
  const room = await group(robin, "Photographs", [heron, wren]);
  const send = async (who: Client, body: string, ...files: NewFile[]): Promise<void> => {
    const attachments: string[] = [];
    for (const file of files) attachments.push((await who.media.upload(room, file)).id);
    await who.rest.rooms.post(room, { client_id: crypto.randomUUID(), body, attachments });
  };
  const swell = (at: number): number => Math.abs(Math.sin(at * 9) * Math.sin(at * 31)) * (1 - at * 0.6);
  const waveform = Array.from({ length: 64 }, (_, at) => Math.round(swell(at / 64) * 100));
  await send(robin, "The lake, an hour before we left", { name: "lake.png", source: new Blob([lake()]) });
  await send(heron, "", { name: "voice.wav", source: new Blob([wav(14, swell)]), voice: { duration_ms: 14_000, waveform } });
  await send(wren, "The way round, if you come by bicycle", { name: "The way round.pdf", source: new Blob([`%PDF-1.7\n${" ".repeat(381_000)}`]) });
}

async function picture(name: string, options: BrowserContextOptions, room: string | undefined, last = "See you there"): Promise<void> {
  const window = await Window.open(browser, server.url, options);
  await window.logIn("wren");
  if (room !== undefined) {
    await window.openRoom(room);
    await window.sees(last);
    await window.page.waitForFunction(() => [...document.querySelectorAll(".picture")].every((one) => one.querySelector("img")?.complete));
  }
  await window.page.locator(".rooms .entry").nth(3).waitFor({ state: "attached" });
  if (FOLDER) await window.page.screenshot({ path: `${FOLDER}/${name}.png` });
  assert.deepEqual(window.complaints, []);
  await window.close();
}

test("the light view", () => picture("light", { colorScheme: "light" }, "Sunday walk"));
test("pictures, files and voice", () => picture("media", { colorScheme: "light" }, "Photographs", "The way round"));
test("the dark view", () => picture("dark", { colorScheme: "dark" }, "Sunday walk"));
test("a phone, with a conversation", () => picture("phone", { viewport: { width: 390, height: 780 }, hasTouch: true }, "Sunday walk"));
test("a phone, with all conversations", () => picture("phone-list", { viewport: { width: 360, height: 740 }, hasTouch: true }, undefined));

test("the operators' overview, after ten minutes of its own clock", async () => {
  const own = await Server.start();
  swift = await account(own.url, "swift", "Swift Arden");
  const room = await group(swift, "Sunday walk", []);
  await swift.start();
  const board = await Board.enter(browser, own, { viewport: { width: 1_280, height: 1_000 }, colorScheme: "light" });
  const { page } = board;
  await page.clock.install();
  await page.reload();
  await board.inside();
  const look = async (): Promise<void> => {
    const answered = page.waitForResponse((response) => response.url().endsWith("/metrics"));
    await page.clock.runFor(5_000);
    await (await answered).finished();
  };
  for (let at = 0; at < (FOLDER ? 118 : 5); at += 1) {
    for (let line = Math.round(6 + 5 * Math.sin(at / 9)); line > 0; line -= 1) await post(swift, room, `Line ${line}`);
    await look();
  }
  await page.locator('.chart svg path.line[d*="L"]').first().waitFor({ state: "attached" });
  if (FOLDER) {
    // What the server smooths over its own last seconds comes to rest.
    const until = Date.now() + 3 * PATIENCE_MS;
    while (((await own.administrate("GET", "/overview")) as { sends_per_second: number }).sends_per_second > 0.05) {
      assert.ok(Date.now() < until);
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    await look();
    await page.screenshot({ path: `${FOLDER}/admin.png` });
  }
  assert.deepEqual(board.complaints, []);
  await board.close();
  await own.end();
});
