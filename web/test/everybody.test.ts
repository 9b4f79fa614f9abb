// The client is for everybody: with a keyboard alone, with a screen reader, on a small screen, in light and in dark.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, BrowserContextOptions } from "playwright-core";
import { Server } from "../../sdk/typescript/test/support/server.js";
import { look } from "./support/axe.js";
import { account, group, launch, PASSWORD, post, Window } from "./support/browser.js";

let server: Server;
let browser: Browser;

before(async () => {
  server = await Server.start();
  browser = await launch();
  const wren = await account(server.url, "wren", "Wren Alder");
  const birch = await account(server.url, "birch", "Birch Holloway");
  const room = await group(wren, "Nest", [birch]);
  const first = await post(birch, room, "A **strong** word, `code`, https://example.org and\n- a list\n- of two");
  await post(wren, room, "An answer for @birch", { reply_to: first, mentions: [birch.user ?? ""] });
  await wren.rest.rooms.react(room, first, "🎉");
  await post(birch, room, "> quoted\n\n```\nlet nest = 1;\n```");
  await group(birch, "Unread", [wren]).then((other) => post(birch, other, "Hello @wren", { mentions: [wren.user ?? ""] }));
  await birch.rest.rooms.direct(wren.user ?? "").then((direct) => post(birch, direct.id, "Only you"));
});
after(async () => {
  await browser?.close();
  await server?.end();
});

async function walk(options: BrowserContextOptions): Promise<void> {
  const window = await Window.open(browser, server.url, options);
  const { page } = window;
  await look(page, "login");
  await page.getByRole("button", { name: "New here?" }).click();
  await look(page, "sign up");
  await page.getByRole("button", { name: "Have an account?" }).click();
  await window.logIn("wren");
  await page.locator(".rooms .entry").nth(2).waitFor();
  await look(page, "conversations");
  await page.getByRole("button", { name: "New conversation" }).click();
  await page.getByLabel("Find people and conversations").fill("bir");
  await page.locator(".choice", { hasText: "@birch" }).waitFor();
  await look(page, "finding people");
  await page.locator(".choice", { hasText: "New group" }).click();
  await look(page, "making a group");
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Settings" }).click();
  await page.getByText("This device", { exact: true }).waitFor();
  await look(page, "settings");
  await page.keyboard.press("Escape");
  await window.openRoom("Nest");
  await window.sees("quoted");
  await page.locator(".row").last().focus();
  await page.keyboard.press("+");
  await page.locator(".emojis").waitFor();
  await look(page, "a conversation");
  await page.getByRole("button", { name: "About this conversation" }).click();
  await page.locator(".person", { hasText: "@birch" }).waitFor();
  await look(page, "about a conversation");
  assert.deepEqual(window.complaints, []);
  await window.close();
}

test("nothing serious is found by axe in light", () => walk({ colorScheme: "light" }));
test("nothing serious is found by axe in dark", () => walk({ colorScheme: "dark" }));
test("nothing serious is found by axe, and nothing sticks out, at 360 pixels", () => walk({ viewport: { width: 360, height: 640 } }));
test("nothing sticks out on a very wide screen", () => walk({ viewport: { width: 2_560, height: 1_200 } }));

test("everything is reached with the keyboard alone", async () => {
  const window = await Window.open(browser, server.url);
  const { page } = window;
  const focused = (): Promise<string> => page.evaluate("document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent ?? ''");
  await page.keyboard.press("Tab");
  await page.keyboard.type("wren");
  await page.keyboard.press("Tab");
  await page.keyboard.type(PASSWORD);
  await page.keyboard.press("Enter");
  await window.inside();
  await page.keyboard.press("Control+k");
  await page.getByLabel("Find people and conversations").waitFor();
  await page.keyboard.type("Nest");
  await page.locator(".choice", { hasText: "Nest" }).waitFor();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.locator(".bar", { hasText: "Nest" }).waitFor();
  await page.locator(".composer textarea:focus").waitFor();
  await page.keyboard.type("By keys alone, @bir");
  await page.locator("#suggestions [role=option]").waitFor();
  await page.keyboard.press("Enter");
  await page.keyboard.press("Enter");
  await window.sees("By keys alone, @birch");
  await page.keyboard.press("Control+ArrowUp");
  assert.match(await focused(), /By keys alone/);
  await page.keyboard.press("+");
  await page.locator(".emojis button:focus").waitFor();
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "👍, 1 reaction" }).waitFor();
  await window.row("By keys alone").focus();
  await page.keyboard.press("r");
  await page.keyboard.type("An answer by keys");
  await page.keyboard.press("Enter");
  await window.row("An answer by keys").locator(".quoted").waitFor();
  await page.keyboard.press("Alt+ArrowDown");
  await page.locator(".bar", { hasText: "Nest" }).waitFor({ state: "detached" });
  assert.deepEqual(window.complaints, []);
  await window.close();
});

test("what comes in is said to a screen reader once", async () => {
  const window = await Window.open(browser, server.url);
  await window.logIn("wren");
  await window.openRoom("Unread");
  const { client_id } = { client_id: crypto.randomUUID() };
  const birch = await account(server.url, "speaker", "Speaker");
  const room = await group(birch, "Spoken", [await known("wren", birch)]);
  await window.openRoom("Spoken");
  await birch.rest.rooms.post(room, { client_id, body: "Can you **hear** me?" });
  await window.page.locator('[role="log"]', { hasText: "Can you hear me?" }).waitFor({ state: "attached" });
  await window.close();
});

/** Somebody by handle, as what `group` takes. */
async function known(handle: string, client: Awaited<ReturnType<typeof account>>) {
  const { items } = await client.rest.users(handle);
  return { user: items.find((user) => user.handle === handle)?.id } as typeof client;
}
