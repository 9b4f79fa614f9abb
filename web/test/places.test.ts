// Where a conversation opens, what stands between its days, and that its history is there in both directions.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import type { Client } from "../../sdk/typescript/src/index.js";
import { Server } from "../../sdk/typescript/test/support/server.js";
import { account, group, launch, post, Window } from "./support/browser.js";
import { fill } from "./support/seed.js";

let server: Server;
let browser: Browser;
let wren: Client;
let birch: Client;

before(async () => {
  server = await Server.start();
  browser = await launch();
  [wren, birch] = [await account(server.url, "wren", "Wren"), await account(server.url, "birch", "Birch")];
});
after(async () => {
  await browser?.close();
  await server?.end();
});

/** Waits until a message is wholly in sight: rows are measured in the frame after they are drawn. */
async function inSight(window: Window, words: string): Promise<void> {
  await window.row(words).first().waitFor();
  await window.page.waitForFunction((wanted) => {
    const frame = document.querySelector(".frame")?.getBoundingClientRect();
    const bodies = [...document.querySelectorAll(".row .body")].filter((one) => one.textContent?.includes(wanted));
    return bodies.some((one) => {
      const own = one.getBoundingClientRect();
      return frame !== undefined && own.top >= frame.top && own.bottom <= frame.bottom;
    });
  }, words, { timeout: 5_000 });
}

test("it opens at the first of many that were not read, and reading on leads to the newest", async () => {
  const room = await group(wren, "Much", [birch]);
  await fill(server.url, [birch], room, 40, (at) => `Known ${at}.`);
  await wren.rest.rooms.mark(room, { read: (await wren.rest.rooms.get(room)).head });
  await fill(server.url, [birch], room, 400, (at) => `Fresh ${at}.`);
  const window = await Window.open(browser, server.url);
  await window.logIn("wren");
  await window.page.getByLabel("400 unread messages").waitFor();
  await window.openRoom("Much");
  await window.page.locator(".new").waitFor();
  await inSight(window, "Fresh 1.");
  await inSight(window, "Known 40.");
  await window.page.locator(".frame").hover();
  const last = window.page.locator(".row .body", { hasText: "Fresh 400." });
  const settled = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))";
  for (let at = 0; at < 400 && (await last.count()) === 0; at += 1) {
    await window.page.mouse.wheel(0, 600);
    await window.page.evaluate(settled);
  }
  await last.waitFor();
  await window.page.locator(".frame").press("End");
  await window.page.locator(".rooms .badge").waitFor({ state: "detached" });
  await post(birch, room, "While it is looked at");
  await window.sees("While it is looked at");
  await window.page.locator(".frame").press("Home");
  await window.page.locator(".beginning").waitFor();
  await window.page.locator(".to-latest").click();
  await window.page.locator(".to-latest").waitFor({ state: "detached" });
  await inSight(window, "While it is looked at");
  assert.deepEqual(window.complaints, []);
  await window.close();
});

test("where all that was not read fits on the screen it opens at the end, and stays there", async () => {
  const room = await group(wren, "Little", [birch]);
  await fill(server.url, [birch], room, 3, (at) => `Old ${at}. ${"Words and more words. ".repeat(30)}`);
  await wren.rest.rooms.mark(room, { read: (await wren.rest.rooms.get(room)).head });
  await fill(server.url, [birch], room, 3, (at) => `New ${at}. ${"Words. ".repeat(at * 9)}`);
  const window = await Window.open(browser, server.url);
  await window.logIn("wren");
  await window.openRoom("Little");
  await window.page.locator(".rooms .entry", { hasText: "Little" }).locator(".badge").waitFor({ state: "detached" });
  await inSight(window, "New 3.");
  await inSight(window, "New 1.");
  assert.equal(await window.page.locator(".to-latest").count(), 0);
  await window.close();
});

test("what comes while somebody reads further up does not move what they read", async () => {
  const room = await group(wren, "Steady", [birch]);
  await fill(server.url, [birch], room, 90, (at) => `Line ${at}.`);
  await wren.rest.rooms.mark(room, { read: (await wren.rest.rooms.get(room)).head });
  const window = await Window.open(browser, server.url);
  await window.logIn("wren");
  await window.openRoom("Steady");
  await window.sees("Line 90.");
  await window.page.locator(".frame").hover();
  await window.page.mouse.wheel(0, -1_500);
  const button = window.page.locator(".to-latest");
  await button.waitFor();
  const place = (): Promise<unknown> => window.page.evaluate(`
    [...document.querySelectorAll(".row .body")].map((one) => [one.textContent, Math.round(one.getBoundingClientRect().top)]).find(([, top]) => top > 200)`);
  const before = await place();
  await fill(server.url, [birch], room, 20, (at) => `Later ${at}.`);
  await button.getByText("20").waitFor();
  assert.deepEqual(await place(), before);
  await window.close();
});

test("days are told apart", async () => {
  const room = await group(wren, "Days", [birch]);
  await post(birch, room, "On one day");
  const window = await Window.open(browser, server.url);
  await window.logIn("wren");
  await window.openRoom("Days");
  await window.page.locator(".day", { hasText: "Today" }).waitFor();
  await window.page.clock.setFixedTime(Date.now() + 24 * 60 * 60_000);
  await window.page.reload();
  await window.page.locator(".day", { hasText: "Yesterday" }).waitFor();
  await window.close();
});

test("without a network the page says so, keeps what is written, and sends it when the network is back", async () => {
  await group(wren, "Tunnel", [birch]);
  const window = await Window.open(browser, server.url);
  await window.logIn("wren");
  await window.openRoom("Tunnel");
  await window.context.setOffline(true);
  await window.page.locator('.connection[data-state="offline"]', { hasText: "You are offline" }).waitFor();
  await window.say("From the tunnel");
  await window.page.locator(".row .bubble.pending", { hasText: "From the tunnel" }).waitFor();
  await window.context.setOffline(false);
  await window.sees("From the tunnel");
  await window.close();
});

test("what was begun in one conversation is there when one comes back to it", async () => {
  await group(wren, "Begun", [birch]);
  await group(wren, "Other one", [birch]);
  const window = await Window.open(browser, server.url);
  await window.logIn("wren");
  await window.openRoom("Begun");
  await window.page.locator(".composer textarea").fill("Half a sent");
  await window.openRoom("Other one");
  assert.equal(await window.page.locator(".composer textarea").inputValue(), "");
  await window.page.locator(".rooms .entry", { hasText: "Draft: Half a sent" }).waitFor();
  await window.openRoom("Begun");
  assert.equal(await window.page.locator(".composer textarea").inputValue(), "Half a sent");
  await window.close();
});
