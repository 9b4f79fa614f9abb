// The operators' page: who gets in, and that each action does what its question says, by the server's own account.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import type { Client } from "../../sdk/typescript/src/index.js";
import { Server } from "../../sdk/typescript/test/support/server.js";
import { account, group, launch, PASSWORD, post, Window } from "./support/browser.js";
import { Board, plain } from "./support/operators.js";

interface User { disabled: boolean; role: string; devices: number; sessions: number }
interface Room { id: string; archived: boolean; head: number }
interface Entry { action: string; subject: string; detail: string; actor: string }

let server: Server;
let browser: Browser;
let wren: Client;
let heron: Client | undefined;

before(async () => {
  server = await Server.start();
  browser = await launch();
  wren = await account(server.url, "wren", "Wren Alder");
});
after(async () => {
  await Promise.all([wren?.stop(), heron?.stop()]);
  await browser?.close();
  await server?.end();
});

const user = (client: Client): Promise<User> => server.administrate("GET", `/users/${client.user}`) as Promise<User>;
const room = (id: string): Promise<Room> => server.administrate("GET", `/rooms/${id}`) as Promise<Room>;
const audit = async (): Promise<Entry[]> => ((await server.administrate("GET", "/audit?limit=200")) as { items: Entry[] }).items;
/** What was done to somebody or something, in its order. */
const doneTo = async (id: string): Promise<string[]> => (await audit()).filter(({ subject }) => subject === id).map(({ action }) => action).reverse();

async function done(board: Board): Promise<void> {
  assert.deepEqual(board.complaints, []);
  await board.close();
}

test("a wrong token stays outside, the right one is kept for this tab only and forgotten on leaving", async () => {
  const window = await Window.open(browser, server.admin);
  const { page, context } = window;
  assert.equal(await page.getByRole("navigation").count(), 0, "nothing is shown before");
  const board = new Board(context, page);
  await board.show("wrong");
  await page.getByText("The server does not take this token.").waitFor();
  assert.match(await page.locator(".refusal").innerText(), /unauthenticated[\s\S]*Request \S+/);
  await board.show(server.adminToken);
  await board.inside();
  assert.deepEqual(await page.evaluate("[Object.values(localStorage), document.cookie]"), [[], ""]);
  await page.reload();
  await board.inside();
  const other = await context.newPage();
  await other.goto(server.admin);
  await other.getByLabel("Token").waitFor();
  await page.getByRole("button", { name: "Leave" }).click();
  await page.getByLabel("Token").waitFor();
  assert.equal(await page.evaluate("sessionStorage.length"), 0);
  assert.deepEqual(window.complaints, []);
  await done(board);
});

test("a platform admin gets in until the login ends, another user does not", async () => {
  const birch = await account(server.url, "birch", "Birch");
  const window = await Window.open(browser, server.admin);
  const board = new Board(window.context, window.page);
  await board.show(birch.token ?? "");
  await board.page.getByText("This account is no platform admin.").waitFor();
  await server.administrate("PATCH", `/users/${birch.user}`, { role: "admin" });
  await board.show(birch.token ?? "");
  await board.inside();
  await birch.logOut();
  await board.page.getByText("The token is not taken any more.").waitFor();
  assert.equal(await board.page.evaluate("sessionStorage.length"), 0);
  await done(board);
});

test("the public listener has none of it, and the page asks nobody else", async () => {
  for (const path of ["/admin.html", "/admin"]) assert.equal((await fetch(server.url + path)).status, 404, path);
  const page = await (await fetch(server.admin)).text();
  const own = [...page.matchAll(/"(\/assets\/admin-[^"]+)"/g)].map(([, path]) => path);
  assert.equal(own.length, 2, page);
  for (const path of own) {
    assert.equal((await fetch(`${server.admin}${path}`)).status, 200, path);
    assert.equal((await fetch(`${server.url}${path}`)).status, 404, path);
  }
  const window = await Window.open(browser, "about:blank");
  const asked = new Set<string>();
  window.page.on("request", (request) => asked.add(new URL(request.url()).origin));
  await window.page.goto(server.admin);
  const board = new Board(window.context, window.page);
  await board.show(server.adminToken);
  await board.inside();
  assert.deepEqual([...asked], [server.admin]);
  await done(board);
});

test("a user is found, disabled, enabled, given a role and a password, and erased", async () => {
  const robin = await account(server.url, "robin", "Robin Marsh");
  const board = await Board.enter(browser, server);
  await board.find("Users", "robin");

  await board.button("Disable").click();
  assert.match(await board.asked(), /1 login ends and 0 connections close/);
  await board.dialog.getByRole("button", { name: "Cancel" }).click();
  assert.equal((await user(robin)).disabled, false, "who cancels changes nothing");
  await board.button("Disable").click();
  assert.equal(await board.confirm("Disable"), "robin is disabled.");
  assert.deepEqual([(await user(robin)).disabled, (await user(robin)).devices], [true, 0]);
  await board.button("Enable").click();
  assert.equal(await board.confirm("Enable"), "robin may log in again.");
  assert.equal((await user(robin)).disabled, false);

  await board.button("Make platform admin").click();
  const yes = board.yes("Make platform admin");
  assert.equal(await yes.isDisabled(), true, "the name is to be typed first");
  await board.typed("robin").fill("robi");
  assert.equal(await yes.isDisabled(), true);
  await board.typed("robin").fill("robin");
  assert.equal(await board.confirm("Make platform admin"), "robin is Platform admin now.");
  assert.equal((await user(robin)).role, "admin");
  await board.button("Take platform admin away").click();
  await board.confirm("Take platform admin away");
  assert.equal((await user(robin)).role, "user");

  await board.button("Reset password").click();
  await board.dialog.getByLabel("New password").fill("short");
  const refused = await board.confirm("Reset password");
  assert.match(refused, /The server refused this\.[\s\S]*password[\s\S]*Code \w+ · Status 400 · Request \S+/);
  await board.button("Reset password").click();
  await board.dialog.getByLabel("New password").fill("another password");
  assert.match(await board.confirm("Reset password"), /has another password/);
  const logIn = (password: string): Promise<unknown> => robin.logIn({ login: "robin", password });
  await assert.rejects(logIn(PASSWORD));
  await logIn("another password");

  await board.button("Erase").click();
  await board.typed("robin").fill("robin");
  assert.equal(await board.confirm("Erase"), "robin is erased.");
  await assert.rejects(logIn("another password"));
  await board.page.locator("tbody").waitFor();
  assert.equal(await board.page.locator('[data-user="robin"]').count(), 0);
  const deeds = ["user.disable", "user.enable", "user.role", "user.role", "user.password", "user.erase"];
  assert.deepEqual(await doneTo(robin.user ?? ""), deeds, "what was refused and what was cancelled are not among them");
  await done(board);
});

test("it shows where a user is connected and closes a connection", async () => {
  heron = await account(server.url, "heron", "Heron");
  await heron.start();
  const board = await Board.enter(browser, server);
  await board.find("Users", "heron");
  const [{ node }] = ((await server.administrate("GET", "/nodes")) as { items: [{ node: string }] }).items;
  await board.page.locator(".where", { hasText: `1 connection on` }).waitFor();
  assert.equal(plain(await board.page.locator(".where").innerText()), `1 connection on ${node}`);
  const ended = new Promise((resolve) => heron?.on("connection", ({ state }) => state !== "live" && resolve(state)));
  await board.page.getByRole("button", { name: /^Close connection/ }).click();
  assert.match(await board.asked(), /closes with 4003/);
  assert.equal(await board.confirm("Close connection"), "The connection is closed.");
  await ended;
  await done(board);
});

test("a room is announced to, archived, opened, compared and deleted", async () => {
  const nest = await group(wren, "Nest", []);
  await post(wren, nest, "hello");
  const board = await Board.enter(browser, server);
  await board.find("Rooms", "Nest");

  await board.button("Announce").click();
  await board.dialog.getByLabel("The words").fill("The server restarts at six.");
  assert.match(await board.confirm("Announce"), /^Announced: it has number \d+\.$/);
  const events = JSON.stringify(await wren.rest.rooms.events(nest, 0));
  assert.match(events, /"text":"The server restarts at six\."/);

  await board.button("Archive").click();
  assert.equal(await board.confirm("Archive"), "Nest is archived.");
  assert.equal((await room(nest)).archived, true);
  await assert.rejects(post(wren, nest, "still?"), { code: "archived" });
  await board.button("Open again").click();
  await board.confirm("Open again");
  assert.equal((await room(nest)).archived, false);

  await board.button("Read digests").click();
  await board.page.getByText("All nodes that answer see the same log.").waitFor();
  const { digest } = (await server.administrate("GET", `/rooms/${nest}/digest`)) as { digest: string };
  await board.page.locator("code", { hasText: digest }).waitFor();

  await board.button("Delete").click();
  await board.typed("Nest").fill("nest");
  assert.equal(await board.yes("Delete").isDisabled(), true);
  await board.typed("Nest").fill("Nest");
  assert.equal(await board.confirm("Delete"), "Nest is deleted.");
  await assert.rejects(room(nest), /404/);
  assert.deepEqual(await doneTo(nest), ["room.announce", "room.archive", "room.open", "room.delete"]);
  await done(board);
});

test("a setting is changed while the server runs, and what does not fit is refused with its reason", async () => {
  const board = await Board.enter(browser, server);
  await board.go("Configuration");
  const row = board.page.locator('[data-setting="limits.connections_per_user"]');
  assert.match(await row.innerText(), /100\s+default/i);
  const change = async (value: string): Promise<string> => {
    await row.getByRole("button").click();
    await board.dialog.getByLabel("New value").fill(value);
    return board.confirm("Change");
  };
  assert.match(await change("many"), /limits\.connections_per_user[\s\S]*Code bad_request · Status 400/);
  assert.equal(await change("90"), "limits.connections_per_user is 90 now.");
  await row.getByText("90").waitFor();
  const { items } = (await server.administrate("GET", "/config")) as { items: { key: string; value: unknown; origin: string }[] };
  const kept = items.find(({ key }) => key === "limits.connections_per_user");
  assert.equal(kept?.value, 90);
  assert.ok((await row.innerText()).includes(kept?.origin ?? "?"));
  assert.equal(await board.page.locator('[data-setting="server.data"]').getByRole("button").count(), 0, "not while it runs");
  await done(board);
});

test("nodes and shards: what a node alone refuses is said with code and request", async () => {
  const board = await Board.enter(browser, server);
  await board.go("Nodes");
  const name = await board.page.locator(".node h2").innerText();
  await board.page.getByRole("button", { name: `Drain ${name}` }).click();
  await board.typed(name).fill(name);
  assert.match(await board.confirm("Drain"), /no other node[\s\S]*Code conflict · Status 409 · Request \S+/);

  await board.go("Shards");
  await board.page.getByText("100 of 1,024 shards").waitFor();
  await board.page.getByRole("searchbox").fill("7");
  await board.page.getByText("1 of 1 shards").waitFor();
  await board.page.getByRole("button", { name: "Move shard 7" }).click();
  await board.dialog.getByLabel("To").selectOption(name);
  await board.dialog.getByRole("button", { name: "See what would happen" }).click();
  assert.match(await board.outcome(), /Code conflict/);
  await board.page.getByLabel("Moved by an operator").check();
  await board.page.getByText("0 of 0 shards").waitFor();
  await done(board);
});

test("the audit log has every change, page by page", async () => {
  for (let at = 0; at < 60; at += 1) await server.administrate("PATCH", "/config", { "limits.send_burst": 1_000 + at });
  const all = await audit();
  const board = await Board.enter(browser, server);
  await board.go("Audit");
  const rows = board.page.locator("tbody tr");
  await rows.nth(49).waitFor();
  assert.equal(await rows.count(), 50);
  await board.page.getByRole("button", { name: "Show more" }).click();
  await rows.nth(Math.min(all.length, 100) - 1).waitFor();
  const shown = await rows.evaluateAll((lines) => lines.map((line) => line.querySelector("th")?.textContent));
  assert.deepEqual(shown, all.slice(0, shown.length).map(({ action }) => action));
  assert.equal(await rows.filter({ hasText: "limits.send_burst" }).count(), 60);
  await done(board);
});
