// A real browser with a new profile, and people in it who each have a window of their own.

import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import type { Client } from "../../../sdk/typescript/src/index.js";
import { createClient } from "../../../sdk/typescript/src/node/index.js";

export const PASSWORD = "rain on the leaves";
const FLAGS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];
/** How long a page may take for something on a busy machine. */
export const PATIENCE_MS = 30_000;

/** A microphone that beeps, which the page may use, and sound that plays unasked. */
export const SOUND = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", "--autoplay-policy=no-user-gesture-required"];

export async function launch(flags: readonly string[] = []): Promise<Browser> {
  const executablePath = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
  return chromium.launch({ executablePath, headless: true, args: [...FLAGS, ...flags] });
}

/** A page with what went wrong in it: nothing may. */
export class Window {
  readonly page: Page;
  readonly context: BrowserContext;
  readonly complaints: string[] = [];

  constructor(context: BrowserContext, page: Page) {
    this.context = context;
    this.page = page;
    page.setDefaultTimeout(PATIENCE_MS);
    page.on("pageerror", (error) => this.complaints.push(`error: ${error.message}`));
    page.on("console", (message) => {
      const isAboutPolicy = message.text().includes("Content Security Policy");
      if (isAboutPolicy) this.complaints.push(`policy: ${message.text()}`);
    });
  }

  static async open(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Window> {
    const context = await browser.newContext({ viewport: { width: 1_200, height: 800 }, locale: "en-GB", timezoneId: "UTC", ...options });
    const window = new Window(context, await context.newPage());
    await window.page.goto(url);
    return window;
  }

  async signUp(handle: string, name: string): Promise<void> {
    await this.page.getByRole("button", { name: "New here?" }).click();
    await this.page.getByLabel("Handle").fill(handle);
    await this.page.getByLabel("Name", { exact: true }).fill(name);
    await this.page.getByLabel("Password").fill(PASSWORD);
    await this.page.getByRole("button", { name: "Create account", exact: true }).click();
    await this.inside();
  }

  async logIn(handle: string): Promise<void> {
    await this.page.getByLabel("Handle or email").fill(handle);
    await this.page.getByLabel("Password").fill(PASSWORD);
    await this.page.getByRole("button", { name: "Log in", exact: true }).click();
    await this.inside();
  }

  async inside(): Promise<void> {
    await this.page.locator('.connection[data-state="live"]').waitFor({ state: "attached" });
  }

  async openRoom(name: string): Promise<void> {
    await this.page.locator(".rooms .entry", { hasText: name }).first().click();
    await this.page.locator(".bar h1", { hasText: name }).waitFor();
    await this.page.locator(".composer textarea, .closed").first().waitFor();
    await this.page.locator(".canvas:not(.unplaced)").waitFor({ state: "attached" });
  }

  async say(text: string): Promise<void> {
    await this.page.locator(".composer textarea").fill(text);
    await this.page.keyboard.press("Enter");
  }

  row(text: string) {
    return this.page.locator(".row", { hasText: text });
  }

  /** Waits until a message is there and has a number. */
  async sees(text: string): Promise<void> {
    await this.page.locator(".row .bubble:not(.pending)", { hasText: text }).first().waitFor();
  }

  async close(): Promise<void> {
    await this.context.close();
  }
}

/** Somebody without a window, who makes what a test begins with. */
export async function account(url: string, handle: string, name?: string): Promise<Client> {
  const client = createClient({ url });
  await client.rest.createAccount({ handle, password: PASSWORD, ...(name === undefined ? {} : { display_name: name }) });
  await client.logIn({ login: handle, password: PASSWORD, device_name: "test" });
  return client;
}

export async function group(client: Client, name: string, members: readonly Client[]): Promise<string> {
  const ids = members.map((member) => member.user ?? "");
  return (await client.rest.rooms.create({ kind: "group", name, members: ids })).id;
}

export async function post(client: Client, room: string, body: string, more: { reply_to?: number; mentions?: string[] } = {}): Promise<number> {
  return (await client.rest.rooms.post(room, { client_id: crypto.randomUUID(), body, ...more })).seq;
}

/** A file on somebody's device. */
export const file = (name: string, mimeType: string, buffer: Buffer): { name: string; mimeType: string; buffer: Buffer } => ({ name, mimeType, buffer });

/** Chooses files as people do, by the button beside the text. */
export async function choose(window: Window, ...files: ReturnType<typeof file>[]): Promise<void> {
  const chooser = window.page.waitForEvent("filechooser");
  await window.page.getByRole("button", { name: "Add pictures or files" }).click();
  await (await chooser).setFiles(files);
}

/** Waits until so many pictures among the messages are really drawn. */
export async function drawn(page: Page, count: number): Promise<void> {
  await page.waitForFunction((wanted) => {
    const all = [...document.querySelectorAll<HTMLImageElement>(".picture img")].filter((image) => image.complete && image.naturalWidth > 0);
    return all.length === wanted;
  }, count);
}
