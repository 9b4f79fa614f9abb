// Long histories, many messages at once, slow machines and slow links: what is on the screen stays smooth and in its place.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import type { Client } from "../../sdk/typescript/src/index.js";
import { Server } from "../../sdk/typescript/test/support/server.js";
import { account, group, launch, Window } from "./support/browser.js";
import { fill } from "./support/seed.js";

const LONG = 100_000;
const FRAME_MS = 50;
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
  await Promise.all([wren?.stop(), birch?.stop()]);
  await browser?.close();
  await server?.end();
});

/** What the page's main thread worked on while `during` ran. */
interface Work {
  /** Processor time of the tasks in milliseconds, the longest first. A frame is one task, and waits for the one before it. */
  tasks: number[];
  total: number;
}

/**
 * Counted is the time of the processor and not of the clock: what other programs on the machine take from the page is no
 * work of the page.
 */
async function work(page: Page, during: () => Promise<void>): Promise<Work> {
  await browser.startTracing(page, { categories: ["toplevel", "disabled-by-default-devtools.timeline", "devtools.timeline", "__metadata"] });
  await during();
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString()) as { traceEvents: TraceEvent[] };
  const names = traceEvents.filter((event) => event.name === "thread_name" && event.args?.name === "CrRendererMain");
  const started = traceEvents.filter((event) => event.name === "RunTask" && event.tdur !== undefined);
  const busiest = names.map(({ pid, tid }) => started.filter((event) => event.pid === pid && event.tid === tid)).sort((one, other) => other.length - one.length)[0] ?? [];
  const tasks = busiest.map((event) => (event.tdur ?? 0) / 1_000).sort((one, other) => other - one);
  assert.ok(tasks.length > 100, `the trace has ${tasks.length} tasks in it`);
  return { tasks, total: tasks.reduce((sum, one) => sum + one, 0) };
}

/**
 * The round whose longest task is the shortest: what the page has to do it does in every round, and what a machine that is
 * shared adds to a task, in caches and cores that others use, it does not.
 */
async function best(page: Page, rounds: number, during: () => Promise<void>): Promise<Work> {
  const all: Work[] = [];
  for (let round = 0; round < rounds; round += 1) all.push(await work(page, during));
  return all.reduce((least, one) => ((one.tasks[0] ?? 0) < (least.tasks[0] ?? 0) ? one : least));
}

interface TraceEvent {
  name: string;
  pid: number;
  tid: number;
  tdur?: number;
  args?: { name?: string };
}

test("the first paint comes within a second on a machine four times as slow", async (context) => {
  const times: number[] = [];
  for (let load = 0; load < 5; load += 1) {
    const page = await browser.newPage();
    const session = await page.context().newCDPSession(page);
    await session.send("Emulation.setCPUThrottlingRate", { rate: 4 });
    await page.goto(server.url);
    await page.getByRole("button", { name: "Log in" }).waitFor();
    times.push(await page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime") as number);
    await page.close();
  }
  // The best of five: the others say how busy the machine is with other things.
  context.diagnostic(`first contentful paint after ${times.map(Math.round).join(", ")} ms`);
  assert.ok(Math.min(...times) <= 1_000, `${times} ms`);
});

test("a thousand messages in ten seconds keep every frame short", async (context) => {
  const room = await group(wren, "Busy", [birch]);
  await birch.start();
  const window = await Window.open(browser, server.url);
  await window.logIn("wren");
  await window.openRoom("Busy");
  let sent = 0;
  const { tasks, total } = await best(window.page, 2, async () => {
    const began = performance.now();
    for (let at = 1; at <= 1_000; at += 1) {
      sent += 1;
      birch.send(room, `Message ${sent} of many, with **some** words in it`);
      const due = began + at * 10;
      if (due > performance.now()) await new Promise((resolve) => setTimeout(resolve, due - performance.now()));
    }
    await window.sees(`Message ${sent} of many`);
  });
  context.diagnostic(`longest tasks: ${tasks.slice(0, 5).map(Math.round).join(", ")} ms; ${Math.round(total)} ms in all`);
  assert.ok((tasks[0] ?? 0) < FRAME_MS, `${tasks[0]} ms`);
  assert.ok((await window.page.locator(".row").count()) < 120, "only what is near is in the page");
  await window.close();
});

test("older messages come in above without moving what is read", async () => {
  const room = await group(wren, "Older", [birch]);
  await fill(server.url, [birch], room, 600, (at) => `Number ${at}. ${"Some words. ".repeat((at * 7) % 23)}`);
  const window = await Window.open(browser, server.url);
  await window.logIn("wren");
  await wren.rest.rooms.mark(room, { read: (await wren.rest.rooms.get(room)).head });
  await window.openRoom("Older");
  await window.page.locator(".frame").hover();
  const jumps: number[] = [];
  const place = `(() => { const frame = document.querySelector(".frame").getBoundingClientRect();
    const rows = [...document.querySelectorAll(".row")]; const row = rows.find((one) => one.getBoundingClientRect().top >= frame.top + 40);
    return [row?.querySelector(".body")?.textContent.slice(0, 16), row?.getBoundingClientRect().top]; })()`;
  const settled = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))";
  let isTop = false;
  for (let at = 0; at < 400 && !isTop; at += 1) {
    await window.page.mouse.wheel(0, -700);
    await window.page.evaluate(settled);
    const [name, top] = await window.page.evaluate(place) as [string, number];
    await window.page.evaluate(settled);
    await window.page.evaluate(settled);
    const again = await window.page.evaluate(`(() => { const row = [...document.querySelectorAll(".row")].find((one) => one.querySelector(".body")?.textContent.startsWith(${JSON.stringify(name)})); return row?.getBoundingClientRect().top; })()`) as number | undefined;
    if (again !== undefined) jumps.push(Math.abs(again - top));
    isTop = (await window.page.locator(".beginning").count()) > 0 && (await window.page.locator(".frame").evaluate((frame) => frame.scrollTop)) < 2;
  }
  assert.ok(isTop, "the beginning was reached");
  await window.row("Number 1.").first().waitFor();
  assert.ok(jumps.length > 10 && Math.max(...jumps) <= 2, `what was in sight moved by ${Math.max(...jumps)} pixels`);
  await window.close();
});

test("with a hundred thousand messages the beginning and the end are a step apart, and scrolling is smooth", { timeout: 600_000 }, async (context) => {
  const tellers = await Promise.all(["robin", "heron", "finch", "crane"].map((handle) => account(server.url, handle)));
  const room = await group(wren, "Long", tellers);
  await fill(server.url, tellers, room, LONG, (at) => `Number ${at} of a long story`);
  const window = await Window.open(browser, server.url);
  await window.logIn("wren");
  const before = performance.now();
  await window.openRoom("Long");
  await window.page.getByText(/^Number \d+ of a long story$/).first().waitFor();
  context.diagnostic(`opened at the first unread of ${LONG} in ${Math.round(performance.now() - before)} ms`);
  let way = 900;
  const { tasks } = await best(window.page, 3, async () => {
    await window.page.locator(".frame").hover();
    for (let at = 0; at < 60; at += 1) {
      await window.page.mouse.wheel(0, way);
      await window.page.evaluate("new Promise((done) => requestAnimationFrame(done))");
    }
    await window.page.locator(".to-latest").click();
    await window.page.locator(".to-latest").waitFor({ state: "detached" });
    await window.page.locator(".rooms .badge").waitFor({ state: "detached" });
    // From the end it goes up.
    way = -900;
  });
  context.diagnostic(`longest tasks: ${tasks.slice(0, 5).map(Math.round).join(", ")} ms`);
  assert.ok((tasks[0] ?? 0) < FRAME_MS, `${tasks[0]} ms`);
  await window.close();
});

test("over a slow link what is written is in sight at once, and arrives", async () => {
  const room = await group(wren, "Slow", [birch]);
  const window = await Window.open(browser, server.url);
  const session = await window.context.newCDPSession(window.page);
  await session.send("Network.enable");
  await session.send("Network.emulateNetworkConditions", { offline: false, latency: 600, downloadThroughput: 30_000, uploadThroughput: 15_000 });
  await window.logIn("wren");
  await window.openRoom("Slow");
  await window.say("Through a straw");
  await window.row("Through a straw").waitFor({ timeout: 500 });
  await window.sees("Through a straw");
  const { items } = await birch.rest.rooms.messages(room);
  assert.equal(items.at(-1)?.body, "Through a straw");
  await window.close();
});
