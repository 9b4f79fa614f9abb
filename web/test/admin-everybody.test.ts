// The operators' page is for everybody: by keyboard alone, on a small screen, in light and dark; and names do no harm there.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, BrowserContextOptions } from "playwright-core";
import type { Client } from "../../sdk/typescript/src/index.js";
import { Server } from "../../sdk/typescript/test/support/server.js";
import { look } from "./support/axe.js";
import { account, group, launch, post, Window } from "./support/browser.js";
import { Board } from "./support/operators.js";

const NAMES = [`<img src=x onerror="window.broken=1">`, `<script>window.broken=1</script>`, `"><svg onload=window.broken=1>`];

let server: Server;
let browser: Browser;
let birch: Client;

before(async () => {
  server = await Server.start();
  browser = await launch();
  const wren = await account(server.url, "wren", "Wren Alder");
  birch = await account(server.url, "birch", "Birch Holloway");
  const room = await group(wren, "Nest", [birch]);
  await birch.start();
  await post(wren, room, "hello");
  await server.administrate("PATCH", "/config", { "limits.send_burst": 1_000 });
});
after(async () => {
  await birch?.stop();
  await browser?.close();
  await server?.end();
});

async function walk(options: BrowserContextOptions): Promise<void> {
  const before = await Window.open(browser, server.admin, options);
  await look(before.page, "login");
  await before.close();
  const board = await Board.enter(browser, server, options);
  const { page } = board;
  await page.locator('svg[aria-label^="Sends per second"]').waitFor();
  await look(page, "overview");
  for (const name of ["Nodes", "Shards", "Users", "Rooms", "Audit", "Configuration"]) {
    await board.go(name);
    await page.locator(name === "Nodes" ? ".node" : "tbody tr").first().waitFor();
    await look(page, name);
  }
  await board.find("Rooms", "Nest");
  await board.button("Read digests").click();
  await page.getByText("All nodes that answer").waitFor();
  await look(page, "a room");
  await board.button("Delete").click();
  await look(page, "deleting a room");
  await page.keyboard.press("Escape");
  await board.find("Users", "birch");
  await page.locator("[data-session]").waitFor();
  await look(page, "a user");
  await board.button("Reset password").click();
  await board.dialog.getByLabel("New password").fill("x");
  await board.dialog.getByRole("button", { name: "Reset password" }).click();
  await board.dialog.locator(".refusal").waitFor();
  await look(page, "a refusal");
  assert.deepEqual(board.complaints, []);
  await board.close();
}

test("axe finds nothing serious in light", () => walk({ colorScheme: "light" }));
test("axe finds nothing serious in dark", () => walk({ colorScheme: "dark" }));
test("axe finds nothing serious, and nothing sticks out, at 360 pixels", () => walk({ viewport: { width: 360, height: 640 } }));
test("nothing sticks out on a very wide screen", () => walk({ viewport: { width: 2_560, height: 1_200 } }));

test("everything is reached with the keyboard alone", async () => {
  const robin = await account(server.url, "robin", "Robin");
  const window = await Window.open(browser, server.admin);
  const { page } = window;
  const board = new Board(window.context, page);
  await page.locator("input:focus").waitFor();
  await page.keyboard.type(server.adminToken);
  await page.keyboard.press("Enter");
  await board.inside();
  /** Goes on with Tab until what has the focus is called this. */
  const to = async (name: RegExp): Promise<void> => {
    for (let at = 0; at < 80; at += 1) {
      const focused: string = await page.evaluate("document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent ?? ''");
      if (name.test(focused)) return;
      await page.keyboard.press("Tab");
    }
    assert.fail(`Tab does not lead to ${name}`);
  };
  await to(/^Users$/);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: "Users" }).waitFor();
  await to(/^Find by/);
  await page.keyboard.type("robin");
  await page.locator('tbody tr:only-child[data-user="robin"]').waitFor();
  await to(/^robin$/);
  await page.keyboard.press("Enter");
  await page.getByRole("group", { name: "Actions" }).waitFor();
  await to(/^Erase$/);
  await page.keyboard.press("Enter");
  await page.locator("dialog input:focus").waitFor();
  await page.keyboard.press("Escape");
  await board.dialog.waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Erase" }).and(page.locator(":focus")).waitFor();
  await page.keyboard.press("Enter");
  await page.locator("dialog input:focus").waitFor();
  await page.keyboard.type("robin");
  await page.keyboard.press("Enter");
  await page.locator(".outcome", { hasText: "is erased." }).waitFor();
  await page.locator("dialog button.primary:focus").waitFor();
  await page.keyboard.press("Enter");
  await board.dialog.waitFor({ state: "detached" });
  await assert.rejects(robin.rest.me());
  assert.deepEqual(board.complaints, []);
  await board.close();
});

test("a look at the server does not take the focus away", async () => {
  const board = await Board.enter(browser, server);
  const { page } = board;
  await page.locator('.facts a[href="#/rooms"]').focus();
  for (let at = 0; at < 2; at += 1) await page.waitForResponse((response) => response.url().endsWith("/metrics")).then((response) => response.finished());
  await page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
  assert.equal(await page.evaluate("document.activeElement?.getAttribute('href')"), "#/rooms");
  await board.close();
});

test("names and audit lines that are written to do harm do none", async () => {
  const board = await Board.enter(browser, server);
  const { page } = board;
  for (const [at, name] of NAMES.entries()) {
    const mallory = await account(server.url, `mallory-${at}`, name);
    await group(mallory, name, []);
  }
  await board.go("Users");
  for (const name of NAMES) await page.locator("td bdi", { hasText: name }).first().waitFor();
  for (const name of NAMES) {
    await board.find("Rooms", name);
    await page.getByRole("heading", { level: 1, name }).waitFor();
    await board.button("Archive").click();
    await board.confirm("Archive");
  }
  await board.go("Audit");
  assert.equal(await page.evaluate("window.broken"), undefined);
  assert.equal(await page.locator("main img, main script, main svg").count(), 0);
  assert.equal(await page.locator("th bdi, td bdi").first().evaluate((element) => getComputedStyle(element).unicodeBidi), "isolate");
  await page.goto(`${server.admin}/#/users/${encodeURIComponent("../config")}`);
  await page.locator(".refusal").first().waitFor();
  await page.goto(`${server.admin}/#/%E0%A4%A`);
  await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
  assert.deepEqual(board.complaints, []);
  await board.close();
});
