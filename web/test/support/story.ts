// Two people who have never seen it: they sign up, find each other, chat, send a picture and a voice message, lose the network
// and have it again, and whatever dies in between, both see the same conversation.

import assert from "node:assert/strict";
import type { Browser, Page } from "playwright-core";
import type { Client } from "../../../sdk/typescript/src/index.js";
import { createClient } from "../../../sdk/typescript/src/node/index.js";
import { Proxy } from "../../../sdk/typescript/test/support/proxy.js";
import { choose, drawn, file, PASSWORD, Window } from "./browser.js";
import { lake } from "./files.js";

/** Where it plays. */
export interface Stage {
  browser: Browser;
  /** The one address for clients. */
  url: string;
  deaths: Death[];
}

/** What dies while they chat. */
export interface Death {
  kill(room: string, user: string): Promise<void>;
  /** Whether the others go on without it: then what is written meanwhile arrives before it is back. */
  isSurvived: boolean;
  revive(networks: readonly Proxy[]): Promise<void>;
}

interface Person {
  handle: string;
  window: Window;
  network: Proxy;
}

async function arrive({ browser, url }: Stage, name: string): Promise<Person> {
  const network = await Proxy.before(url);
  // High enough for all that is said: rows that are far away are not in the page.
  const window = await Window.open(browser, network.url, { viewport: { width: 1_200, height: 2_400 } });
  const handle = `${name.toLowerCase()}-${crypto.randomUUID().slice(0, 8)}`;
  await window.signUp(handle, name);
  return { handle, window, network };
}

/** The same person on a device without a window, to ask what the page does not show. */
async function device({ handle, network }: Person): Promise<Client> {
  const client = createClient({ url: network.url });
  await client.logIn({ login: handle, password: PASSWORD, device_name: "test" });
  return client;
}

async function speak(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Record a voice message" }).click();
  await page.waitForFunction(() => (document.querySelector(".recorder .time")?.textContent ?? "0:00") >= "0:02");
  await page.getByRole("button", { name: "Stop and listen" }).click();
  await page.getByRole("button", { name: "Send voice message" }).click();
}

async function listen({ window }: Person): Promise<void> {
  await window.page.locator(".bubble .voice").getByRole("button", { name: "Play voice message" }).click();
  await window.page.waitForFunction(() => Number(document.querySelector<HTMLInputElement>(".bubble .voice input")?.value) > 300);
}

/** Both windows show these texts, once each and in the same order, and the log has them in that order. */
async function agree(people: readonly Person[], texts: readonly string[], client: Client, room: string): Promise<void> {
  for (const { window } of people) for (const text of texts) await window.sees(text);
  const inLog = (await client.rest.rooms.messages(room, { limit: 200 })).items.map(({ body }) => body).filter((body) => body !== "");
  assert.deepEqual([...inLog].sort(), [...texts].sort(), "what was written is in the log, once");
  for (const { window, handle } of people) {
    assert.deepEqual(await window.page.locator(".row .body").allTextContents(), inLog, `${handle} sees what the log has`);
    assert.equal(await window.page.locator(".bubble.pending").count(), 0, `nothing of ${handle}'s waits still`);
  }
}

export async function play(stage: Stage): Promise<void> {
  const people = [await arrive(stage, "Wren"), await arrive(stage, "Birch")] as const;
  try {
    await meet(stage, people);
  } finally {
    for (const { window, network } of people) {
      await window.close();
      await network.end();
    }
  }
}

async function meet(stage: Stage, people: readonly [Person, Person]): Promise<void> {
  const [wren, birch] = people;
  const { page } = wren.window;
  const texts: string[] = [];
  const says = async ({ window }: Person, text: string): Promise<void> => {
    texts.push(text);
    await window.say(text);
  };

  await page.getByRole("button", { name: "New conversation" }).click();
  await page.getByLabel("Find people and conversations").fill(birch.handle);
  await page.locator(".choice", { hasText: `@${birch.handle}` }).click();
  await says(wren, "Hello Birch");
  await birch.window.openRoom("Wren");
  await birch.window.sees("Hello Birch");
  await says(birch, "Hello Wren");
  await wren.window.sees("Hello Wren");

  const client = await device(wren);
  const room = (await client.rest.rooms.mine()).items[0]?.id ?? "";
  await choose(wren.window, file("lake.png", "image/png", lake()));
  await says(wren, "Look at the lake");
  await drawn(birch.window.page, 1);
  await speak(birch.window.page);
  for (const { window } of people) await window.page.locator(".bubble:not(.pending) .voice").waitFor();
  await listen(wren);
  await agree(people, texts, client, room);

  wren.network.refuse(true);
  await page.locator('.connection[data-state="waiting"]').waitFor();
  await says(wren, "Written without a network");
  await wren.window.row("Written without a network").locator(".pending").waitFor();
  await says(birch, "Wren, are you there?");
  await birch.window.sees("Wren, are you there?");
  wren.network.refuse(false);
  await agree(people, texts, client, room);

  for (const [at, death] of stage.deaths.entries()) {
    await death.kill(room, client.user ?? "");
    for (const person of people) await says(person, `Death ${at + 1}: ${person.handle} goes on`);
    if (death.isSurvived) await agree(people, texts, client, room);
    await death.revive(people.map(({ network }) => network));
    for (const person of people) await says(person, `Death ${at + 1}: ${person.handle} is still there`);
    await agree(people, texts, client, room);
  }

  for (const person of people) {
    await person.window.page.reload();
    await drawn(person.window.page, 1);
    await listen(person);
    assert.deepEqual(person.window.complaints, []);
  }
}
