// Voice messages: recorded with the browser's own microphone, sent, and played by the other person.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { Server } from "../../sdk/typescript/test/support/server.js";
import { look } from "./support/axe.js";
import { account, group, launch, SOUND, Window } from "./support/browser.js";
import { wav } from "./support/files.js";

let server: Server;
let browser: Browser;

before(async () => {
  server = await Server.start();
  browser = await launch(SOUND);
});
after(async () => {
  await browser?.close();
  await server?.end();
});

async function enter(handle: string, room: string, where = browser, options: Parameters<typeof Window.open>[2] = {}): Promise<Window> {
  const window = await Window.open(where, server.url, options);
  await window.logIn(handle);
  await window.openRoom(room);
  return window;
}

/** Waits until so much has been recorded, by the clock that people see. */
const recorded = (page: Page, seconds: number) => page.waitForFunction((wanted) => {
  const [minutes = "0", rest = "0"] = (document.querySelector(".recorder .time")?.textContent ?? "0:00").split(":");
  return Number(minutes) * 60 + Number(rest) >= wanted;
}, seconds);

const place = (page: Page): Promise<number> => page.locator(".bubble .voice input").first().evaluate((input: HTMLInputElement) => Number(input.value));

test("a voice message is recorded, listened to, sent, and played by the other from anywhere in it", async () => {
  const [wren, birch] = [await account(server.url, "wren", "Wren"), await account(server.url, "birch", "Birch")];
  const room = await group(wren, "Spoken", [birch]);
  const [first, second] = [await enter("wren", "Spoken"), await enter("birch", "Spoken")];
  const { page } = first;
  await page.getByRole("button", { name: "Record a voice message" }).click();
  await page.locator(".recorder .levels i").nth(5).waitFor();
  await look(page, "recording");
  await recorded(page, 3);
  const levels = await page.locator(".recorder .levels i").evaluateAll((bars) => bars.map((bar) => bar.getBoundingClientRect().height));
  assert.ok(Math.max(...levels) > Math.min(...levels) + 3, `the level is live: ${levels.join(" ")}`);
  await page.getByRole("button", { name: "Stop and listen" }).click();
  await page.locator(".recorder .voice").waitFor();
  await page.locator(".recorder").getByRole("button", { name: "Play voice message" }).click();
  await page.locator(".recorder").getByRole("button", { name: "Pause voice message" }).waitFor();
  await look(page, "listening");
  await page.getByRole("button", { name: "Send voice message" }).click();
  await page.locator(".composer textarea:focus").waitFor();
  for (const window of [first, second]) await window.page.locator(".bubble:not(.pending) .voice").waitFor();
  const [voice] = (await birch.rest.rooms.messages(room)).items.at(-1)?.attachments ?? [];
  assert.equal(voice?.kind, "voice");
  assert.ok((voice?.duration_ms ?? 0) >= 2_500 && (voice?.duration_ms ?? 0) < 20_000, String(voice?.duration_ms));
  const waveform = voice?.waveform ?? [];
  assert.ok(waveform.length > 20 && Math.max(...waveform) === 100 && Math.min(...waveform) < 100, waveform.join(" "));

  const player = second.page.locator(".bubble .voice");
  await player.getByRole("button", { name: "Play voice message" }).click();
  await second.page.waitForFunction(() => Number(document.querySelector<HTMLInputElement>(".bubble .voice input")?.value) > 300);
  await player.getByRole("button", { name: "Pause voice message" }).click();
  await player.getByRole("button", { name: "Play voice message" }).waitFor();
  const slider = player.getByRole("slider", { name: "Place in the voice message" });
  await slider.focus();
  await second.page.keyboard.press("Home");
  assert.equal(await place(second.page), 0);
  await second.page.keyboard.press("ArrowRight");
  await second.page.keyboard.press("ArrowRight");
  const moved = await place(second.page);
  assert.ok(moved > 0, "arrow keys move in it");
  assert.match((await slider.getAttribute("aria-valuetext")) ?? "", /^0:0\d of 0:\d\d$/);
  assert.equal(await second.page.locator(".row:focus").count(), 0, "and not from message to message");
  await second.page.reload();
  await second.page.locator(".bubble .voice").waitFor();
  await look(second.page, "a voice message");
  for (const window of [first, second]) {
    assert.deepEqual(window.complaints, []);
    await window.close();
  }
});

test("by keys a recording is begun and discarded, and nothing of it is sent", async () => {
  const robin = await account(server.url, "robin", "Robin");
  const room = await group(robin, "Discarded", []);
  const window = await enter("robin", "Discarded");
  const { page } = window;
  await page.locator(".composer textarea").focus();
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.locator("[data-stop]:focus").waitFor();
  await page.locator('.recorder [role="status"]', { hasText: "Recording" }).waitFor({ state: "attached" });
  await page.keyboard.press("Escape");
  await page.locator(".composer textarea:focus").waitFor();
  assert.equal(await page.locator(".recorder").count(), 0);
  await window.say("only words");
  await window.sees("only words");
  assert.deepEqual((await robin.rest.rooms.messages(room)).items.map((item) => item.attachments ?? []), [[]]);
  assert.deepEqual(window.complaints, []);
  await window.close();
});

test("a recording ends by itself after a quarter of an hour, and is there to be sent", async () => {
  const stork = await account(server.url, "stork", "Stork");
  await group(stork, "Endless", []);
  const window = await enter("stork", "Endless");
  const { page } = window;
  await page.getByRole("button", { name: "Record a voice message" }).click();
  await recorded(page, 1);
  // The page's clock goes on by what nobody wants to wait for.
  await page.evaluate(() => {
    const real = performance.now.bind(performance);
    performance.now = () => real() + 15 * 60_000;
  });
  await page.locator(".notice", { hasText: "the longest" }).waitFor();
  await page.locator(".recorder .voice .time", { hasText: "15:00" }).waitFor();
  await page.getByRole("button", { name: "Discard the recording" }).click();
  assert.deepEqual(window.complaints, []);
  await window.close();
});

test("one voice message plays at a time", async () => {
  const [heron, finch] = [await account(server.url, "heron", "Heron"), await account(server.url, "finch", "Finch")];
  const room = await group(heron, "Several", [finch]);
  for (const at of [1, 2]) {
    const media = await heron.media.upload(room, { name: `${at}.wav`, source: new Blob([wav(8)]), voice: { duration_ms: 8_000, waveform: [10, 50, 100, 50, 10] } });
    assert.equal(media.kind, "voice");
    await heron.rest.rooms.post(room, { client_id: crypto.randomUUID(), body: `Number ${at}`, attachments: [media.id] });
  }
  const window = await enter("finch", "Several", browser, { viewport: { width: 360, height: 640 } });
  const [one, two] = [window.row("Number 1").locator(".voice"), window.row("Number 2").locator(".voice")];
  await one.getByRole("button", { name: "Play voice message" }).click();
  await one.getByRole("button", { name: "Pause voice message" }).waitFor();
  await two.getByRole("button", { name: "Play voice message" }).click();
  await two.getByRole("button", { name: "Pause voice message" }).waitFor();
  await one.getByRole("button", { name: "Play voice message" }).waitFor();
  await look(window.page, "voice messages at 360 pixels");
  assert.deepEqual(window.complaints, []);
  await window.close();
});

test("a sound that is no voice message is played by the browser's own controls, over a link", async () => {
  const [egret, ibis] = [await account(server.url, "egret", "Egret"), await account(server.url, "ibis", "Ibis")];
  const room = await group(egret, "Sounds", [ibis]);
  const media = await egret.media.upload(room, { name: "tone.wav", source: new Blob([wav(20)]) });
  assert.equal(media.kind, "audio");
  await egret.rest.rooms.post(room, { client_id: crypto.randomUUID(), body: "A tone", attachments: [media.id] });
  const window = await enter("ibis", "Sounds");
  await window.page.getByRole("button", { name: "Play ⁨tone.wav⁩" }).click();
  await window.page.waitForFunction(() => (document.querySelector<HTMLAudioElement>("audio.player")?.currentTime ?? 0) > 0.2);
  assert.match(await window.page.locator("audio.player").evaluate((audio: HTMLAudioElement) => new URL(audio.src).pathname), /^\/api\/v1\/media\//);
  await window.page.locator("audio.player").evaluate((audio: HTMLAudioElement) => (audio.currentTime = 15));
  await window.page.waitForFunction(() => (document.querySelector<HTMLAudioElement>("audio.player")?.currentTime ?? 0) > 15.1);
  await look(window.page, "a player");
  assert.deepEqual(window.complaints, []);
  await window.close();
});

test("without a microphone that it may use the page says so in words", async () => {
  const crane = await account(server.url, "crane", "Crane");
  await group(crane, "Silent", []);
  const other = await launch();
  try {
    const window = await enter("crane", "Silent", other);
    await window.page.getByRole("button", { name: "Record a voice message" }).click();
    await window.page.locator(".recorder .problem", { hasText: /microphone/ }).waitFor();
    await look(window.page, "no microphone");
    await window.page.getByRole("button", { name: "Discard the recording" }).click();
    await window.page.locator(".composer textarea:focus").waitFor();
    assert.deepEqual(window.complaints, []);
  } finally {
    await other.close();
  }
});
