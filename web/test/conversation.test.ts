// Two people talk in two windows of a real browser over the real server.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { Proxy } from "../../sdk/typescript/test/support/proxy.js";
import { Server } from "../../sdk/typescript/test/support/server.js";
import { account, group, launch, Window } from "./support/browser.js";

let server: Server;
let browser: Browser;

before(async () => {
  server = await Server.start();
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await server?.end();
});

test("somebody signs up, logs in elsewhere, and both windows show the same conversation", async () => {
  const first = await Window.open(browser, server.url);
  await first.signUp("wren", "Wren Alder");
  const birch = await account(server.url, "birch", "Birch");
  const [wren] = (await birch.rest.users("wren")).items;
  await birch.rest.rooms.create({ kind: "group", name: "Nest", members: [wren?.id ?? ""] });
  await first.openRoom("Nest");
  await first.say("Is anybody up there?");
  await first.sees("Is anybody up there?");

  const second = await Window.open(browser, server.url);
  await second.logIn("birch");
  await second.openRoom("Nest");
  await second.sees("Is anybody up there?");
  await second.say("Third branch from the top.");
  await first.sees("Third branch from the top.");
  assert.deepEqual([...first.complaints, ...second.complaints], []);
  await first.close();
  await second.close();
});

test("a reload needs no password and shows the room that was open", async () => {
  const robin = await account(server.url, "robin", "Robin");
  await group(robin, "Reload", []);
  const window = await Window.open(browser, server.url);
  await window.logIn("robin");
  await window.openRoom("Reload");
  await window.say("Before the reload");
  await window.sees("Before the reload");
  await window.page.reload();
  await window.sees("Before the reload");
  assert.deepEqual(window.complaints, []);
  await window.close();
});

test("a wrong password is told in words", async () => {
  await account(server.url, "finch");
  const window = await Window.open(browser, server.url);
  await window.page.getByLabel("Handle or email").fill("finch");
  await window.page.getByLabel("Password").fill("something else");
  await window.page.getByRole("button", { name: "Log in", exact: true }).click();
  await window.page.getByText("The handle or the password is not right.").waitFor();
  await window.close();
});

test("what is written while the server is away waits in sight, and is sent when it is back", async () => {
  const own = await Server.start();
  const proxy = await Proxy.before(own.url);
  try {
    const [wren, birch] = [await account(own.url, "wren"), await account(own.url, "birch")];
    await group(wren, "Storm", [birch]);
    const [first, second] = [await Window.open(browser, proxy.url), await Window.open(browser, proxy.url)];
    await first.logIn("wren");
    await second.logIn("birch");
    await first.openRoom("Storm");
    await second.openRoom("Storm");
    await first.say("before");
    await second.sees("before");

    await own.kill();
    proxy.cut();
    await first.page.locator('.connection[data-state="waiting"]').waitFor();
    await first.say("one while away");
    await first.say("two while away");
    const waiting = first.page.locator(".row .bubble.pending");
    await first.row("two while away").waitFor();
    assert.equal(await waiting.count(), 2, "both wait in sight");

    await own.up();
    proxy.aim(own.url);
    for (const window of [first, second]) {
      await window.sees("one while away");
      await window.sees("two while away");
      const bodies = await window.page.locator(".row .body").allTextContents();
      assert.deepEqual(bodies.slice(-3), ["before", "one while away", "two while away"], "once, in order");
      assert.deepEqual(window.complaints, []);
      await window.close();
    }
  } finally {
    await proxy.end();
    await own.end();
  }
});
