// Texts that are written to do harm do none, in messages, names and topics.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { Server } from "../../sdk/typescript/test/support/server.js";
import { account, group, launch, post, Window } from "./support/browser.js";

const MARKUP = [
  `<script>window.broken = 1</script>`,
  `<img src=x onerror="window.broken = 1">`,
  `<svg onload="window.broken = 1"><a href="javascript:window.broken=1">x</a></svg>`,
  `"><iframe srcdoc="<script>parent.broken=1</script>"></iframe>`,
  `<style>* { display: none }</style>`,
  `&lt;b&gt; {{constructor.constructor('window.broken=1')()}} \${window.broken = 1}`,
];
const LINKS = [
  "[click](javascript:window.broken=1)",
  "[click](JaVaScRiPt:window.broken=1)",
  "[click](java\tscript:window.broken=1)",
  "[click](data:text/html,<script>window.broken=1</script>)",
  "[click](vbscript:x) [file](file:///etc/passwd) [blob](blob:x)",
  "[https://bank.example](https://user:secret@evil.example/)",
  "javascript:window.broken=1",
];

let server: Server;
let browser: Browser;
let window: Window;

before(async () => {
  server = await Server.start();
  browser = await launch();
  const name = `<img src=x onerror=window.broken=1>`;
  const mallory = await account(server.url, "mallory", name);
  const wren = await account(server.url, "wren", "Wren");
  const room = await group(mallory, "<b>Nest</b>", [wren]);
  await mallory.rest.rooms.change(room, { topic: MARKUP[1] ?? "" });
  for (const body of [...MARKUP, ...LINKS]) await post(mallory, room, body);
  await post(mallory, room, "safe \u202Egnp.exe\u202C and [a](https://evil.example/\u202Egnp) end");
  await post(mallory, room, `${"w".repeat(6_000)}`);
  await post(mallory, room, "[https://good.example](https://evil.example/path) and https://fine.example/a?b=1&c=2).");
  await post(mallory, room, "z" + "\u0301".repeat(5_000));
  await post(mallory, room, ">".repeat(8_000));
  await post(mallory, room, "*_~`[".repeat(3_000));
  await post(mallory, room, "the end of it");
  await wren.rest.rooms.mark(room, { read: (await wren.rest.rooms.get(room)).head });
  window = await Window.open(browser, server.url);
  await window.logIn("wren");
  await window.openRoom("<b>Nest</b>");
  await window.sees("the end of it");
});
after(async () => {
  await browser?.close();
  await server?.end();
});

/** Draws every message once, from the last to the first. */
async function walk(): Promise<{ links: string[]; bodies: string[]; widest: number }> {
  const links = new Set<string>();
  const bodies = new Set<string>();
  let widest = 0;
  const frame = window.page.locator(".frame");
  for (;;) {
    for (const link of await window.page.locator(".body a").evaluateAll((all) => all.map((one) => (one as HTMLAnchorElement).href))) links.add(link);
    for (const body of await window.page.locator(".body").allTextContents()) bodies.add(body);
    widest = Math.max(widest, await frame.evaluate((element) => element.scrollWidth - element.clientWidth));
    const isTop = await frame.evaluate((element) => {
      element.scrollTop -= 500;
      return element.scrollTop === 0;
    });
    await window.page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
    if (isTop) return { links: [...links], bodies: [...bodies], widest };
  }
}

test("markup is text, no script runs, only harmless addresses are links, nothing breaks the layout", async () => {
  const seen = await walk();
  assert.equal(await window.page.evaluate("window.broken"), undefined);
  for (const body of MARKUP) assert.ok(seen.bodies.some((one) => one.includes(body)), `as it was written: ${body}`);
  assert.equal(await window.page.locator(".room img, .room iframe, .room script, .room style, .sidebar img").count(), 0);
  assert.ok(seen.links.length > 0);
  for (const link of seen.links) assert.match(link, /^(https?|mailto):/);
  assert.ok(!seen.links.some((link) => link.includes("@evil.example")), "no name that looks like a place before the place");
  assert.ok(seen.links.includes("https://fine.example/a?b=1&c=2"), seen.links.join(" "));
  assert.ok(seen.bodies.some((one) => one.includes("https://good.example (evil.example)")), "where a link really leads stands beside it");
  assert.ok(seen.widest <= 0, `a word of 6,000 letters makes the room ${seen.widest} pixels too wide`);
  assert.deepEqual(window.complaints, []);
});

test("a text that turns the direction turns nothing beside it", async () => {
  const body = window.page.locator(".body", { hasText: "safe" });
  await window.page.locator(".frame").evaluate((element) => (element.scrollTop = element.scrollHeight));
  await window.page.locator(".frame").focus();
  for (let at = 0; at < 40 && (await body.count()) === 0; at += 1) {
    await window.page.locator(".frame").evaluate((element) => (element.scrollTop -= 400));
    await window.page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
  }
  assert.equal(await body.evaluate((element) => getComputedStyle(element).unicodeBidi), "isolate");
  assert.equal(await body.locator("a").count(), 0, "an address with such letters is no link");
});

test("other sites cannot frame the page, and its policy allows no script but its own", async () => {
  const answer = await fetch(server.url);
  const policy = answer.headers.get("content-security-policy") ?? "";
  for (const part of ["default-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"]) assert.ok(policy.includes(part), policy);
  assert.ok(!policy.includes("unsafe"), policy);
  const page = await answer.text();
  assert.ok(!/<style|style=|<script(?![^>]*src=)/.test(page), "nothing is written into the page");
  await window.page.evaluate(`
    const script = document.createElement("script");
    script.textContent = "window.broken = 2";
    document.head.append(script);
  `);
  assert.equal(await window.page.evaluate("window.broken"), undefined);
});
