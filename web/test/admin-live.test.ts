// What moves on the operators' page: charts, looks that stop while nobody looks, a server that goes away and comes back.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import type { Client } from "../../sdk/typescript/src/index.js";
import { Proxy } from "../../sdk/typescript/test/support/proxy.js";
import { Server } from "../../sdk/typescript/test/support/server.js";
import { countedIn, quantile } from "../src/admin/state/metrics.js";
import { account, group, launch, post } from "./support/browser.js";
import { Board, drawn } from "./support/operators.js";

let server: Server;
let browser: Browser;
const clients: Client[] = [];

before(async () => {
  server = await Server.start();
  browser = await launch();
});
after(async () => {
  for (const client of clients) await client.stop();
  await browser?.close();
  await server?.end();
});

/** Lets the page's clock run to its next look, and waits for the answers. */
async function look(board: Board): Promise<void> {
  const answered = board.page.waitForResponse((response) => response.url().endsWith("/metrics"));
  await board.page.clock.runFor(5_000);
  await (await answered).finished();
}

/** A page whose clock stands still. */
async function still(): Promise<Board> {
  const board = await Board.enter(browser, server);
  await board.page.clock.install();
  const answered = board.page.waitForResponse((response) => response.url().endsWith("/metrics"));
  await board.page.reload();
  await (await answered).finished();
  await board.inside();
  await board.page.clock.pauseAt(Number(await board.page.evaluate("Date.now()")) + 1_000);
  return board;
}

test("charts show what happens", async () => {
  const wren = await account(server.url, "wren", "Wren");
  const birch = await account(server.url, "birch", "Birch");
  const nest = await group(wren, "Nest", [birch]);
  clients.push(birch);
  await birch.start();
  const board = await still();
  for (let at = 0; at < 20; at += 1) await post(wren, nest, `Line ${at}`);
  await look(board);
  const sends = board.page.locator(".chart", { hasText: "Sends per second" }).getByRole("img");
  await board.page.waitForFunction(() => /this node [1-9]/.test(document.querySelector('svg[aria-label^="Sends per second"]')?.getAttribute("aria-label") ?? ""));
  const deliveries = Number(await drawn(board.page, "Deliveries per second", "deliveries"));
  assert.ok(deliveries > 1 && deliveries <= 4, `one connection heard twenty events in five seconds or a little more: ${deliveries}`);
  assert.equal(await drawn(board.page, "Sessions", (await board.page.locator(".top bdi").innerText())), "1");
  assert.match(await drawn(board.page, "Time to acknowledge", "99 % within"), /^[\d.]+ m?s$/);
  assert.match(await sends.locator("path.line").first().getAttribute("d") ?? "", /^M[\d.]+ [\d.]+h\.1$/, "one dot");
  await look(board);
  await board.page.waitForFunction(() => document.querySelector('svg[aria-label^="Sends per second"] path.line')?.getAttribute("d")?.includes("L"));
  await sends.focus();
  await board.page.keyboard.press("ArrowLeft");
  assert.match(await sends.getAttribute("aria-label") ?? "", /^Sends per second, \d\d:\d\d:\d\d: this node [\d.]+$/);
  assert.deepEqual(board.complaints, []);
  await board.close();
});

test("nothing is asked while the page is hidden, and at once when it is seen again", async () => {
  const board = await still();
  const { page } = board;
  let asked = 0;
  page.on("request", () => (asked += 1));
  const hide = (isHidden: boolean): Promise<void> => page.evaluate((hidden) => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
    document.dispatchEvent(new Event("visibilitychange"));
  }, isHidden);
  await look(board);
  assert.ok(asked >= 2);
  await hide(true);
  asked = 0;
  await page.clock.runFor(120_000);
  assert.equal(asked, 0);
  const seen = page.waitForRequest((request) => request.url().endsWith("/overview"));
  await hide(false);
  await seen;
  await board.close();
});

test("a server that is away is said to be, and that it was restarted, and the page goes on", async () => {
  const own = await Server.start();
  const proxy = await Proxy.before(own.admin);
  const board = await Board.enter(browser, own, {}, proxy.url);
  const { page } = board;
  await page.locator('svg[aria-label^="Sends per second"] path.line').first().waitFor({ state: "attached" });
  proxy.refuse(true);
  await own.kill();
  await page.locator(".banner.trouble", { hasText: "No answer since" }).waitFor();
  assert.equal(await page.locator(".facts").count(), 1, "what was seen last is still there");
  await own.up();
  proxy.aim(own.admin);
  proxy.refuse(false);
  await page.getByRole("button", { name: "Try now" }).click();
  await page.locator(".banner:not(.trouble)", { hasText: "The server was started anew at" }).waitFor();
  await account(own.url, "robin", "Robin");
  await board.go("Users");
  await page.locator('[data-user="robin"]').waitFor();
  assert.deepEqual(board.complaints, []);
  await board.close();
  await proxy.end();
  await own.end();
});

test("an action that gets no answer says that it may have happened", async () => {
  const board = await Board.enter(browser, server);
  const robin = await account(server.url, "robin", "Robin");
  await board.find("Users", "robin");
  await board.page.route("**/admin/v1/users/*", (route) => (route.request().method() === "PATCH" ? route.abort() : route.continue()));
  await board.button("Disable").click();
  const told = await board.confirm("Disable");
  assert.match(told, /No answer came\.[\s\S]*It may have happened all the same/);
  const { disabled } = (await server.administrate("GET", `/users/${robin.user}`)) as { disabled: boolean };
  assert.equal(disabled, false);
  await board.close();
});

test("metrics are read, and quantiles are estimated within their buckets", () => {
  const text = (counts: number[]): string => [
    "# TYPE rookery_problems_total counter",
    'rookery_problems_total{code="not_found"} 3',
    'rookery_problems_total{code="conflict"} 4',
    "rookery_rooms_awake 9",
    ...["0.001", "0.01", "+Inf"].map((bound, at) => `rookery_ack_seconds_bucket{le="${bound}"} ${counts[at]}`),
  ].join("\n");
  const [before, later] = [countedIn(text([1, 1, 1])), countedIn(text([1, 11, 11]))];
  assert.equal(later.counters.rookery_problems_total, 7);
  assert.equal(later.counters.rookery_sessions_lagged_total, 0);
  const [one, other] = [before.histograms.rookery_ack_seconds, later.histograms.rookery_ack_seconds];
  assert.ok(Math.abs((quantile(one, other, 0.5) ?? 0) - 0.0055) < 1e-9, "ten between one and ten milliseconds: the middle");
  assert.equal(quantile(other, other, 0.5), undefined, "nothing happened");
  assert.equal(quantile(one, countedIn(text([1, 1, 5])).histograms.rookery_ack_seconds, 0.5), 0.01, "beyond the last bound it is that bound");
});
