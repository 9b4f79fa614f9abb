// Pictures and files, from choosing them to what the other person sees of them.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import type { Client } from "../../sdk/typescript/src/index.js";
import { Proxy } from "../../sdk/typescript/test/support/proxy.js";
import { Server } from "../../sdk/typescript/test/support/server.js";
import { look } from "./support/axe.js";
import { account, choose, drawn, file, group, launch, Window } from "./support/browser.js";
import { lake, plain } from "./support/files.js";

let server: Server;
let browser: Browser;
let folder: string;
let made = 0;

before(async () => {
  server = await Server.start();
  browser = await launch();
  folder = mkdtempSync(join(tmpdir(), "rookery-web-media-"));
});
after(async () => {
  await browser?.close();
  await server?.end();
  rmSync(folder, { recursive: true, force: true });
});

interface Pair {
  clients: readonly [Client, Client];
  names: readonly [string, string];
  room: string;
  first: Window;
  second: Window;
  end: () => Promise<void>;
}

/** Two people with a group of theirs, each in a window that shows it. */
async function pair(name: string, url = server.url, options: Parameters<typeof Window.open>[2] = {}): Promise<Pair> {
  made += 1;
  const names = [`mwren${made}`, `mbirch${made}`] as const;
  const clients = [await account(url, names[0], "Wren"), await account(url, names[1], "Birch")] as const;
  const room = await group(clients[0], name, [clients[1]]);
  const windows = [await Window.open(browser, url, options), await Window.open(browser, url)] as const;
  for (const [at, window] of windows.entries()) {
    await window.logIn(names[at] ?? "");
    await window.openRoom(name);
  }
  const end = async (): Promise<void> => {
    for (const window of windows) {
      assert.deepEqual(window.complaints, []);
      await window.close();
    }
  };
  return { clients, names, room, first: windows[0], second: windows[1], end };
}

test("a picture that is chosen is sent with its text, and the other sees it live and after a reload", async () => {
  const { first, second, room, clients, end } = await pair("Chosen");
  await choose(first, file("lake.png", "image/png", lake()));
  await first.page.locator(".tray .file", { hasText: "lake.png" }).locator("img.preview").waitFor();
  await first.say("The lake");
  await first.sees("The lake");
  assert.equal(await first.page.locator(".tray .file").count(), 0);
  for (const window of [first, second]) {
    await window.sees("The lake");
    await drawn(window.page, 1);
    await window.page.getByRole("button", { name: "Show ⁨lake.png⁩" }).waitFor();
  }
  const { items } = await clients[1].rest.rooms.messages(room);
  const [picture] = items.at(-1)?.attachments ?? [];
  assert.deepEqual([picture?.kind, picture?.width, picture?.height, picture?.name], ["picture", 720, 480, "lake.png"]);
  await second.page.reload();
  await drawn(second.page, 1);
  await second.page.getByRole("button", { name: "Show ⁨lake.png⁩" }).click();
  const viewer = second.page.locator("dialog.viewer");
  await viewer.locator("img[aria-busy=false]").waitFor();
  assert.equal(await viewer.locator("img").evaluate((image: HTMLImageElement) => image.naturalWidth), 720);
  await end();
});

test("a picture that is pasted is sent alone, and words that are pasted stay words", async () => {
  const { first, second, end } = await pair("Pasted");
  await first.context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await first.page.locator(".composer textarea").focus();
  await copyPicture(first.page, plain([40, 120, 90]));
  await first.page.keyboard.press("Control+v");
  await first.page.locator(".tray .file").waitFor();
  await first.page.keyboard.press("Enter");
  await drawn(second.page, 1);
  await first.page.evaluate(() => navigator.clipboard.writeText("just words"));
  await first.page.keyboard.press("Control+v");
  assert.equal(await first.page.locator(".composer textarea").inputValue(), "just words");
  assert.equal(await first.page.locator(".tray .file").count(), 0);
  await end();
});

/** Puts a picture into the clipboard of the page. */
async function copyPicture(page: Page, picture: Buffer): Promise<void> {
  await page.evaluate(async (encoded) => {
    const bytes = Uint8Array.from(atob(encoded), (letter) => letter.charCodeAt(0));
    await navigator.clipboard.write([new ClipboardItem({ "image/png": new Blob([bytes], { type: "image/png" }) })]);
  }, picture.toString("base64"));
}

test("files that are dropped on the conversation are sent together, and a folder is told from them", async () => {
  const { first, second, end } = await pair("Dropped");
  const paths = ["one.png", "two.png", "notes.txt", "folder"].map((name) => join(folder, name));
  writeFileSync(paths[0] ?? "", plain([120, 40, 40]));
  writeFileSync(paths[1] ?? "", plain([40, 40, 120]));
  writeFileSync(paths[2] ?? "", "a few words\n");
  mkdirSync(paths[3] ?? "");
  const session = await first.context.newCDPSession(first.page);
  const drag = (type: "dragEnter" | "dragOver" | "drop", files: readonly string[]): Promise<unknown> =>
    session.send("Input.dispatchDragEvent", { type, x: 700, y: 400, data: { items: [], files: [...files], dragOperationsMask: 1 } });
  await drag("dragEnter", paths);
  await drag("dragOver", paths);
  await first.page.locator(".drop", { hasText: "Dropped" }).waitFor();
  await drag("drop", paths);
  await first.page.locator(".drop").waitFor({ state: "detached" });
  await first.page.locator(".tray .file").nth(2).waitFor();
  assert.deepEqual(await first.page.locator(".tray .name").allTextContents(), ["one.png", "two.png", "notes.txt"]);
  await first.page.locator(".notice", { hasText: "Folders" }).waitFor();
  await first.page.locator(".composer .send").click();
  await drawn(second.page, 2);
  const card = second.page.locator(".bubble .file", { hasText: "notes.txt" });
  await card.locator(".size", { hasText: "12 B" }).waitFor();
  const download = second.page.waitForEvent("download");
  await card.getByRole("button", { name: "Save" }).click();
  const saved = await download;
  assert.equal(saved.suggestedFilename(), "notes.txt");
  const path = await saved.path();
  assert.equal(readFileSync(path, "utf8"), "a few words\n");
  await end();
});

test("a file of some megabytes shows how far it is, and outlives a server that is killed", async () => {
  const own = await Server.start();
  const proxy = await Proxy.before(own.url);
  try {
    const { first, second, room, clients, end } = await pair("Large", proxy.url);
    // The last of four parts waits until the server is gone.
    let release = (): void => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    await first.page.route("**/parts/3", (route) => held.then(() => route.continue()));
    const bytes = randomBytes(14_000_000);
    await choose(first, file("large.bin", "application/octet-stream", bytes));
    await first.say("Large one");
    const progress = first.page.getByRole("progressbar", { name: "Uploading ⁨large.bin⁩" });
    await progress.waitFor();
    await first.page.waitForFunction(() => (document.querySelector("progress")?.value ?? 0) > 0);
    assert.equal(await progress.evaluate((element: HTMLProgressElement) => element.max), bytes.length);
    await own.kill();
    proxy.cut();
    await first.page.locator('.connection[data-state="waiting"]').waitFor();
    release();
    assert.ok((await progress.evaluate((element: HTMLProgressElement) => element.value)) < bytes.length);
    await first.say("A word meanwhile");
    await own.up();
    proxy.aim(own.url);
    for (const window of [first, second]) {
      await window.sees("A word meanwhile");
      await window.page.locator(".bubble:not(.pending) .file", { hasText: "large.bin" }).waitFor();
    }
    const { items } = await clients[1].rest.rooms.messages(room);
    const large = items.flatMap((item) => item.attachments ?? []);
    assert.equal(large.length, 1);
    const got = Buffer.from(await (await clients[1].media.content(large[0]!)).arrayBuffer());
    assert.ok(got.equals(bytes), "every byte");
    await end();
  } finally {
    await proxy.end();
    await own.end();
  }
});

test("a picture that was not sent survives a reload, and one that is not wanted is not sent", async () => {
  const { first, second, end } = await pair("Unsent");
  await first.page.route("**/parts/*", (route) => route.abort());
  await choose(first, file("later.png", "image/png", plain([90, 90, 20])));
  await first.say("Sent later");
  const waiting = first.page.locator(".bubble.pending", { hasText: "later.png" });
  await waiting.locator("img.preview").waitFor();
  await look(first.page, "a picture on its way");
  await first.page.reload();
  await waiting.locator("img.preview").waitFor();
  await first.page.unroute("**/parts/*");
  await first.sees("Sent later");
  await drawn(second.page, 1);

  await first.page.route("**/parts/*", (route) => route.abort());
  await choose(first, file("never.png", "image/png", plain([20, 90, 90])));
  await first.page.locator(".composer .send").click();
  await first.page.locator(".bubble.pending", { hasText: "never.png" }).getByRole("button", { name: "Cancel sending" }).click();
  await first.page.locator(".bubble", { hasText: "never.png" }).waitFor({ state: "detached" });
  await first.page.unroute("**/parts/*");
  await first.say("The end of it");
  await second.sees("The end of it");
  assert.equal(await second.page.locator(".picture, .file").count(), 1);
  await end();
});

test("of two pages of one login one uploads, and the other goes on when that one is closed", async () => {
  const { first, second, clients, room, end } = await pair("Tabs");
  const session = await first.context.newCDPSession(first.page);
  await session.send("Network.enable");
  await session.send("Network.emulateNetworkConditions", { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: 2_000 });
  const bytes = randomBytes(600_000);
  await choose(first, file("shared.bin", "application/octet-stream", bytes));
  await first.page.locator(".composer .send").click();
  await first.page.locator(".bubble.pending", { hasText: "shared.bin" }).getByRole("progressbar").waitFor();
  const part = await first.page.waitForRequest(/\/parts\/0$/);
  const other = await first.context.newPage();
  const begun: string[] = [];
  other.on("request", (request) => {
    if (request.method() !== "GET" && /\/media(?:$|\/)/.test(new URL(request.url()).pathname)) begun.push(request.url());
  });
  await other.goto(first.page.url());
  await other.locator(".bubble.pending", { hasText: "shared.bin" }).waitFor();
  await other.locator(".composer textarea").fill("A word from the other page");
  await other.keyboard.press("Enter");
  await second.sees("A word from the other page");
  assert.equal(begun.length, 0, "while the first page is there the second one waits");
  await first.page.close();
  for (const page of [second.page, other]) await page.locator(".bubble:not(.pending) .file", { hasText: "shared.bin" }).waitFor();
  const upload = part.url().replace(/parts\/0$/, "");
  // The end of a page sets its link free, so that its part may arrive after all.
  assert.deepEqual(begun.filter((url) => !url.endsWith("/parts/0")), [`${upload}complete`], "it goes on with the upload that the first page began");
  assert.ok(begun.every((url) => url.startsWith(upload)), begun.join(" "));
  assert.equal((await clients[1].rest.rooms.messages(room)).items.filter((item) => item.attachments?.length).length, 1);
  await end();
});

test("what the server refuses stands at the message, and can be tried again or discarded", async () => {
  const own = await Server.start({ "media.max_size": 1_000_000 });
  try {
    const { first, end } = await pair("Refused", own.url);
    await choose(first, file("vast.bin", "application/octet-stream", randomBytes(1_500_000)), file("small.txt", "text/plain", Buffer.from("small")));
    await first.say("Too much");
    const failed = first.page.locator(".bubble.failed", { hasText: "Too much" });
    await failed.getByRole("alert").filter({ hasText: "larger than the server takes" }).waitFor();
    await failed.getByRole("button", { name: "Try again" }).click();
    await failed.getByRole("alert").waitFor();
    await failed.getByRole("button", { name: "Discard" }).click();
    await failed.waitFor({ state: "detached" });
    await choose(first, ...Array.from({ length: 11 }, (_, at) => file(`${at}.txt`, "text/plain", Buffer.from("x"))));
    await first.page.locator(".notice", { hasText: "At most 10" }).waitFor();
    assert.equal(await first.page.locator(".tray .file").count(), 10);
    await end();
  } finally {
    await own.end();
  }
});

test("names and contents that are written to do harm do none", async () => {
  const { first, second, room, clients, end } = await pair("Hostile");
  const page = `<script>window.broken = 1</script><img src=x onerror="window.broken = 1">`;
  const names = [`<img src=x onerror="window.broken=1">.png`, `"><svg onload=window.broken=1>.html`, "javascript:window.broken=1", "invoice\u202Efdp.exe", `${"w".repeat(240)}.txt`, "CON", "..\\..\\up.txt"];
  for (const name of names) await choose(first, file(name, "image/png", Buffer.from(page)));
  await choose(first, file("drawing.svg", "image/svg+xml", Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" onload="window.broken=1"><script>window.broken=1</script></svg>`)));
  await first.page.locator(".tray .file").nth(7).waitFor();
  await first.page.locator(".composer .send").click();
  for (const window of [first, second]) {
    await window.page.locator(".bubble:not(.pending) .file").nth(7).waitFor();
    assert.equal(await window.page.locator(".bubble img, .bubble svg:not(.icon), .bubble iframe, .bubble script, .bubble a").count(), 0, "none of it is a picture or markup");
    assert.equal(await window.page.evaluate("window.broken"), undefined);
    const overflow = await window.page.locator(".frame").evaluate((element) => element.scrollWidth - element.clientWidth);
    assert.ok(overflow <= 0, `${overflow} pixels too wide`);
  }
  const shown = await second.page.locator(".bubble .file .name").allTextContents();
  assert.ok(shown.includes(`<img src=x onerror="window.broken=1">.png`), shown.join("\n"));
  assert.ok(shown.includes("invoicefdp.exe"), "no letter turns the direction");
  assert.ok(shown.every((name) => !name.includes("/") && !name.includes("\\")));
  assert.equal(await second.page.locator(".bubble .file .name").first().evaluate((element) => element.tagName), "BDI");
  const { items } = await clients[1].rest.rooms.messages(room);
  for (const one of items.at(-1)?.attachments ?? []) {
    const { url } = await clients[1].media.link(one.id);
    const answer = await fetch(url);
    assert.match(answer.headers.get("content-disposition") ?? "", /^attachment/, one.name);
    assert.equal(answer.headers.get("x-content-type-options"), "nosniff");
    // Opened by hand it is saved, or stands in a cage.
    assert.match(answer.headers.get("content-security-policy") ?? "", /sandbox/);
  }
  await end();
});

test("a deleted message takes its picture out of sight, also where somebody looks at it", async () => {
  const { first, second, end } = await pair("Deleted");
  await choose(first, file("gone.png", "image/png", plain([10, 120, 120])));
  await first.say("Gone soon");
  await drawn(second.page, 1);
  await second.page.getByRole("button", { name: "Show ⁨gone.png⁩" }).click();
  await second.page.locator("dialog.viewer img[aria-busy=false]").waitFor();
  await first.row("Gone soon").first().focus();
  await first.page.keyboard.press("Delete");
  await first.page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await second.page.locator("dialog.viewer", { hasText: "This picture is gone." }).waitFor();
  await second.page.keyboard.press("Escape");
  await second.page.locator(".deleted").waitFor();
  assert.equal(await second.page.locator(".picture, .carried").count(), 0);
  await end();
});

test("with the keyboard alone files are chosen, removed and sent, and pictures are looked at one after the other", async () => {
  const { first, second, end } = await pair("Keys");
  const { page } = first;
  // First of all: a key is pressed at once, and must not come before the browser knows that choosers are waited for.
  const chooser = page.waitForEvent("filechooser");
  await page.locator(".composer textarea").focus();
  await page.keyboard.press("Shift+Tab");
  await page.locator('button[aria-label="Add pictures or files"]:focus').waitFor();
  await page.keyboard.press("Enter");
  await (await chooser).setFiles([1, 2, 3].map((at) => file(`${at}.png`, "image/png", plain([at * 60, 80, 60]))));
  await page.locator(".tray .file").nth(2).waitFor();
  await page.locator('[role="status"]', { hasText: "3.png⁩ added" }).waitFor({ state: "attached" });
  await look(page, "files that are chosen");
  await page.getByRole("button", { name: "Remove ⁨2.png⁩" }).focus();
  await page.keyboard.press("Enter");
  await page.locator(".composer textarea:focus").waitFor();
  await page.keyboard.press("Enter");
  await drawn(page, 2);
  await drawn(second.page, 2);
  await second.page.locator('[role="log"]', { hasText: "2 pictures" }).waitFor({ state: "attached" });
  await look(page, "pictures");
  await page.getByRole("button", { name: "Show ⁨1.png⁩" }).focus();
  await page.keyboard.press("Enter");
  const viewer = page.locator("dialog.viewer");
  await viewer.getByText("Picture 1 of 2").waitFor();
  await look(page, "the viewer");
  await page.keyboard.press("ArrowRight");
  await viewer.getByText("Picture 2 of 2").waitFor();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowLeft");
  await viewer.getByText("Picture 1 of 2").waitFor();
  await page.keyboard.press("Escape");
  await viewer.waitFor({ state: "detached" });
  assert.equal(await page.evaluate("document.activeElement?.getAttribute('aria-label')"), "Show ⁨1.png⁩", "the focus is where it was");
  await end();
});

test("rows are as high before their pictures are there as after, and pictures that are far away are let go of", async () => {
  const { first, clients, room, end } = await pair("Long");
  for (let at = 0; at < 24; at += 1) {
    const source = new Blob([plain([at * 9, 90, 120], 200 + ((at * 53) % 300), 150 + ((at * 97) % 400))], { type: "image/png" });
    const media = await clients[1].media.upload(room, { name: `${at}.png`, source });
    await clients[1].rest.rooms.post(room, { client_id: crypto.randomUUID(), body: "", attachments: [media.id] });
  }
  let release = (): void => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  await first.page.route("**/thumbnail", async (route) => {
    await held;
    await route.continue();
  });
  await first.page.reload();
  await first.page.locator(".picture canvas").first().waitFor();
  const heights = (): Promise<Record<string, number>> => first.page.evaluate(() => Object.fromEntries([...document.querySelectorAll(".row")]
    .map((row) => [row.querySelector(".picture")?.getAttribute("aria-label") ?? "", row.getBoundingClientRect().height])));
  const before = await heights();
  release();
  await first.page.waitForFunction(() => [...document.querySelectorAll(".picture")].every((picture) => picture.querySelector("img")?.complete));
  const later = await heights();
  for (const [name, height] of Object.entries(before)) if (name in later) assert.equal(later[name], height, name);
  assert.ok(Object.keys(before).length >= 3);
  await end();
});

test("at 360 pixels, in the dark, nothing sticks out and nothing serious is found", async () => {
  const { first, clients, room, end } = await pair("Narrow", server.url, { viewport: { width: 360, height: 640 }, colorScheme: "dark" });
  const upload = async (name: string, bytes: Buffer<ArrayBuffer>): Promise<string> => (await clients[1].media.upload(room, { name, source: new Blob([bytes]) })).id;
  const attachments = [await upload("wide.png", plain([80, 30, 90], 900, 120)), await upload("b.png", plain([30, 80, 90])), await upload(`${"long ".repeat(30)}.bin`, Buffer.from(new Uint8Array(randomBytes(3_000)).buffer))];
  await clients[1].rest.rooms.post(room, { client_id: crypto.randomUUID(), body: "All at once", attachments });
  await first.sees("All at once");
  await drawn(first.page, 2);
  await choose(first, file("mine.png", "image/png", plain([9, 9, 90])), file("mine.txt", "text/plain", Buffer.from("words")));
  await look(first.page, "a narrow conversation");
  await first.page.getByRole("button", { name: "Show ⁨wide.png⁩" }).click();
  await first.page.locator("dialog.viewer img[aria-busy=false]").waitFor();
  await look(first.page, "a narrow viewer");
  await end();
});
