// What people do with messages, rooms and each other, seen from both sides.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { Server } from "../../sdk/typescript/test/support/server.js";
import { look } from "./support/axe.js";
import { account, group, launch, PASSWORD, post, Window } from "./support/browser.js";

let server: Server;
let browser: Browser;
let made = 0;

before(async () => {
  server = await Server.start();
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await server?.end();
});

/** Two people with a group of theirs, each in a window. */
async function pair(room: string) {
  made += 1;
  const names = [`wren${made}`, `birch${made}`] as const;
  const clients = [await account(server.url, names[0], "Wren"), await account(server.url, names[1], "Birch")] as const;
  const id = await group(clients[0], room, [clients[1]]);
  const windows = [await Window.open(browser, server.url), await Window.open(browser, server.url)] as const;
  await windows[0].logIn(names[0]);
  await windows[1].logIn(names[1]);
  const end = async (): Promise<void> => {
    for (const window of windows) {
      assert.deepEqual(window.complaints, []);
      await window.close();
    }
  };
  return { names, clients, id, first: windows[0], second: windows[1], end };
}

test("unread messages and mentions are counted in the list, and gone when they are read", async () => {
  const { clients, id, names, first, end } = await pair("Counted");
  const entry = first.page.locator(".rooms .entry", { hasText: "Counted" });
  await post(clients[1], id, "one");
  await post(clients[1], id, `@${names[0]} two`, { mentions: [clients[0].user ?? ""] });
  await entry.getByLabel("2 unread messages").waitFor();
  await entry.getByLabel("1 mention").waitFor();
  await first.openRoom("Counted");
  await first.page.locator(".new").waitFor();
  await entry.locator(".badge").first().waitFor({ state: "detached" });
  assert.equal(await first.page.locator(".mention.me").count(), 1);
  await end();
});

test("what named somebody while they were away is counted as a mention when they come", async () => {
  const [wren, birch] = [await account(server.url, "away-wren"), await account(server.url, "away-birch")];
  const id = await group(birch, "Missed", [wren]);
  await post(birch, id, "@away-wren are you there?", { mentions: [wren.user ?? ""] });
  const window = await Window.open(browser, server.url);
  await window.logIn("away-wren");
  await window.page.locator(".rooms .entry", { hasText: "Missed" }).getByLabel("1 mention").waitFor();
  await window.close();
});

test("somebody is found by name, and a direct conversation begins", async () => {
  const { names, first, second, end } = await pair("Found");
  await first.page.getByRole("button", { name: "New conversation" }).click();
  await first.page.getByLabel("Find people and conversations").fill(names[1]);
  await first.page.locator(".choice", { hasText: `@${names[1]}` }).click();
  await first.say("Between us");
  await first.sees("Between us");
  await second.openRoom("Wren");
  await second.sees("Between us");
  await second.say("Of course");
  await first.sees("Of course");
  await first.page.locator(".bar .title", { hasText: "Online" }).waitFor();
  await end();
});

test("who is typing is shown to the other, and ends with the message", async () => {
  const { first, second, end } = await pair("Typed");
  await first.openRoom("Typed");
  await second.openRoom("Typed");
  await first.page.locator(".composer textarea").pressSequentially("Hm");
  await second.page.locator(".typing-line", { hasText: "Wren" }).waitFor();
  await first.page.keyboard.press("Enter");
  await second.sees("Hm");
  await second.page.locator(".typing-line:empty").waitFor({ state: "attached" });
  await end();
});

test("an answer shows what it answers, and leads there", async () => {
  const { first, second, end } = await pair("Answered");
  await first.openRoom("Answered");
  await second.openRoom("Answered");
  await first.say("Tea or coffee?");
  await second.sees("Tea or coffee?");
  await second.row("Tea or coffee?").hover();
  await second.page.getByRole("button", { name: "Reply" }).click();
  await second.say("Both.");
  await first.page.locator(".row", { hasText: "Both." }).locator(".quoted", { hasText: "Tea or coffee?" }).click();
  await first.page.locator(".row.marked", { hasText: "Tea or coffee?" }).waitFor();
  await end();
});

test("an edit, a reaction, and a deletion are seen by both", async () => {
  const { first, second, end } = await pair("Changed");
  await first.openRoom("Changed");
  await second.openRoom("Changed");
  await first.say("Tree o'clock");
  await second.sees("Tree o'clock");
  await first.page.locator(".composer textarea").press("ArrowUp");
  await first.page.locator(".context", { hasText: "Edit your message" }).waitFor();
  await first.say("Three o'clock");
  await second.sees("Three o'clock");
  await second.page.locator(".meta", { hasText: "edited" }).waitFor();

  await second.row("Three o'clock").hover();
  await second.page.getByRole("button", { name: "React", exact: true }).click();
  await second.page.getByRole("button", { name: "React with 🎉" }).click();
  await first.page.getByRole("button", { name: "🎉, 1 reaction" }).click();
  await second.page.getByRole("button", { name: "🎉, 2 reactions" }).waitFor();
  await second.page.getByRole("button", { name: "🎉, 2 reactions" }).click();
  await first.page.getByRole("button", { name: "🎉, 1 reaction" }).waitFor();

  await first.row("Three o'clock").hover();
  await first.page.getByRole("button", { name: "Delete" }).click();
  await first.page.locator("dialog").getByRole("button", { name: "Delete" }).click();
  await second.page.locator(".deleted", { hasText: "Message deleted" }).waitFor();
  assert.equal(await second.row("Three o'clock").count(), 0);
  await end();
});

test("that a message was read is shown to who wrote it", async () => {
  const { first, second, end } = await pair("Read");
  await first.openRoom("Read");
  await first.say("Seen?");
  await first.sees("Seen?");
  await first.row("Seen?").getByRole("img", { name: "Sent" }).waitFor();
  await second.openRoom("Read");
  await first.row("Seen?").getByRole("img", { name: "Read by \u2068Birch\u2069" }).or(first.row("Seen?").getByRole("img", { name: "Read by Birch" })).first().waitFor();
  await end();
});

test("a second device shows the same, and what is read on one is read on the other", async () => {
  const { clients, id, names, first, end } = await pair("Twice");
  const other = await Window.open(browser, server.url);
  await other.logIn(names[0]);
  await post(clients[1], id, "For both devices");
  const badge = other.page.locator(".rooms .entry", { hasText: "Twice" }).locator(".badge");
  await badge.waitFor();
  await first.openRoom("Twice");
  await first.sees("For both devices");
  await badge.waitFor({ state: "detached" });
  await other.openRoom("Twice");
  await first.say("From the first");
  await other.sees("From the first");
  await other.row("From the first").locator(".status").waitFor();
  await other.close();
  await end();
});

test("devices are listed, and logging out everywhere else ends the other window", async () => {
  const { names, first, end } = await pair("Devices");
  const other = await Window.open(browser, server.url);
  await other.logIn(names[0]);
  await first.page.getByRole("button", { name: "Settings" }).click();
  await first.page.getByText("This device", { exact: true }).waitFor();
  await first.page.getByRole("button", { name: "Log out everywhere else" }).click();
  await first.page.locator("dialog.small").getByRole("button", { name: "Log out everywhere else" }).click();
  await other.page.getByText("This login has ended.").waitFor();
  assert.equal(await other.page.evaluate("localStorage.length + sessionStorage.length"), 0, "nothing of the login stays");
  await other.close();
  await end();
});

test("logging out leads to the login, and leaves no token behind", async () => {
  const { first, end } = await pair("Out");
  await first.page.getByRole("button", { name: "Settings" }).click();
  await first.page.getByRole("button", { name: "Log out", exact: true }).last().click();
  await first.page.getByRole("button", { name: "Log in", exact: true }).waitFor();
  assert.equal(await first.page.evaluate("localStorage.getItem('rookery.login')"), null);
  await first.page.reload();
  await first.page.getByRole("button", { name: "Log in", exact: true }).waitFor();
  await end();
});

test("a group is made, people are added, given a role, removed and banned", async () => {
  const { names, first, second, end } = await pair("Older");
  await first.page.getByRole("button", { name: "New conversation" }).click();
  await first.page.locator(".choice", { hasText: "New group or channel" }).click();
  await first.page.getByLabel("Name of the conversation").fill("Made here");
  await first.page.getByLabel("Add people").fill(names[1]);
  await first.page.locator(".choice", { hasText: `@${names[1]}` }).click();
  await first.page.getByRole("button", { name: "Create", exact: true }).click();
  await first.say("Welcome");
  await second.openRoom("Made here");
  await second.sees("Welcome");

  await first.page.getByRole("button", { name: "About this conversation" }).click();
  const member = first.page.locator(".person", { hasText: `@${names[1]}` });
  await member.getByRole("combobox").selectOption("reader");
  await second.page.locator(".closed").waitFor();
  await member.getByRole("combobox").selectOption("member");
  await second.page.locator(".composer").waitFor();
  await first.page.getByLabel("Topic").fill("Things");
  await first.page.getByRole("button", { name: "Save" }).click();
  await second.page.locator(".bar .title", { hasText: "Things" }).waitFor();

  await member.getByRole("button", { name: "Ban", exact: true }).click();
  await first.page.locator("dialog.small").getByRole("button", { name: "Ban" }).click();
  await second.page.locator(".rooms .entry", { hasText: "Made here" }).waitFor({ state: "detached" });
  await member.waitFor({ state: "detached" });
  await first.page.getByRole("group", { name: "Add people" }).getByRole("searchbox").fill(names[1]);
  await first.page.getByRole("group", { name: "Add people" }).locator(".choice").click();
  await first.page.locator(".notice:not(:empty)").waitFor();
  const lift = first.page.getByRole("group", { name: "Lift a ban" });
  await lift.getByRole("searchbox").fill(names[1]);
  await lift.locator(".choice").click();
  await first.page.locator(".notice", { hasText: "The ban is lifted." }).waitFor();
  await end();
});

test("who comes and goes, a new name and an announcement stand between the messages, live and afterwards", async () => {
  const { clients, id: room, first, second, end } = await pair("Watched");
  const third = await account(server.url, "watched-third", "Third");
  await first.openRoom("Watched");
  await second.openRoom("Watched");
  await first.say("Before");
  await second.sees("Before");
  await clients[0].rest.rooms.putMember(room, third.user ?? "");
  await clients[0].rest.rooms.change(room, { name: "Watched well" });
  await server.administrate("POST", `/rooms/${room}/announce`, { text: "We close at <b>nine</b>" });
  const expected = [/added ⁨Third⁩/, /named this conversation ⁨Watched well⁩/, /^Announcement We close at <b>nine<\/b>$/];
  const agrees = async (window: Window): Promise<void> => {
    const after = window.row("Before").locator(".happened li");
    await after.nth(2).waitFor();
    for (const [at, words] of (await after.allTextContents()).entries()) assert.match(words, expected[at] ?? /^$/);
  };
  for (const window of [first, second]) await agrees(window);
  await first.say("After");
  await second.sees("After");
  await clients[0].rest.rooms.removeMember(room, third.user ?? "");
  await second.row("After").locator(".happened", { hasText: "removed ⁨Third⁩" }).waitFor();
  await look(second.page, "what happened");
  for (const window of [first, second]) {
    await window.page.reload();
    await agrees(window);
    await window.row("After").locator(".happened", { hasText: "removed ⁨Third⁩" }).waitFor();
    const beginning = await window.page.locator(".frame > .happened").innerText();
    assert.match(beginning, /added/);
    assert.equal(beginning.includes("began this conversation"), window === first, "nobody sees what was before them");
  }
  await end();
});

test("somebody finds a public conversation and joins it", async () => {
  const { clients, first, end } = await pair("Private one");
  await clients[1].rest.rooms.create({ kind: "group", name: "Open meadow", visibility: "public" });
  await first.page.getByRole("button", { name: "New conversation" }).click();
  await first.page.getByLabel("Find people and conversations").fill("meadow");
  await first.page.locator(".choice", { hasText: "Open meadow" }).click();
  await first.say("Hello meadow");
  await first.sees("Hello meadow");
  await end();
});

test("what one is told of in a conversation is chosen, and kept", async () => {
  const { first, end } = await pair("Quiet");
  await first.openRoom("Quiet");
  await first.page.getByRole("button", { name: "About this conversation" }).click();
  await first.page.getByRole("button", { name: /Write to/ }).waitFor();
  await first.page.locator(".tabs label", { hasText: "Nothing" }).click();
  await first.page.locator(".rooms .entry", { hasText: "Quiet" }).getByLabel("Muted").waitFor();
  await first.page.reload();
  await first.page.locator(".rooms .entry", { hasText: "Quiet" }).getByLabel("Muted").waitFor();
  await end();
});

test("light and dark are chosen, and kept over a reload", async () => {
  const { first, end } = await pair("Looks");
  const ground = (): Promise<string> => first.page.evaluate("getComputedStyle(document.body).backgroundColor");
  const light = await ground();
  await first.page.getByRole("button", { name: "Settings" }).click();
  await first.page.locator(".tabs label", { hasText: "Dark" }).click();
  assert.notEqual(await ground(), light);
  const dark = await ground();
  await first.page.reload();
  await first.inside();
  assert.equal(await ground(), dark);
  await end();
});

test("a changed password ends other logins and lets one in", async () => {
  const { names, first, end } = await pair("Secret");
  const other = await Window.open(browser, server.url);
  await other.logIn(names[0]);
  await first.page.getByRole("button", { name: "Settings" }).click();
  await first.page.getByLabel("Current password").fill(PASSWORD);
  await first.page.getByLabel("New password").fill("another rain on leaves");
  await first.page.getByRole("button", { name: "Change password" }).click();
  await first.page.getByText("Changed. Your other devices").waitFor();
  await other.page.getByText("This login has ended.").waitFor();
  await other.close();
  await end();
});
