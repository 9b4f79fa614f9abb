// The operators' page over a real cluster: draining and resuming a node, moving a shard, one log seen by all. The cluster is the
// one of `scripts/cluster`; `scripts/web cluster` starts it. Without one there is nothing to see here.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { account, group, launch, post, Window } from "./support/browser.js";
import { ADMIN, ask, comesTo, skip, TOKEN, URL } from "./support/cluster.js";
import { Board } from "./support/operators.js";

let browser: Browser;
before(async () => {
  if (!skip) browser = await launch();
});
after(async () => {
  await browser?.close();
});

interface Node { node: string; here: boolean; draining: boolean; links: unknown[] }
interface Shard { shard: number; owner: string; moved: boolean }

async function nodes(): Promise<Node[]> {
  return (await ask<{ items: Node[] }>("/nodes")).items;
}

async function enter(): Promise<Board> {
  const { page, context } = await Window.open(browser, ADMIN);
  const board = new Board(context, page);
  await board.show(TOKEN);
  await board.inside();
  return board;
}

test("a node is drained and taken back, and the audit log has both", { skip }, async () => {
  const there = await nodes();
  const other = there.find(({ here }) => !here)?.node ?? "";
  assert.ok(other, "there are others");
  const board = await enter();
  await board.go("Nodes");
  const part = board.page.locator(`[data-node="${other}"]`);
  await part.getByText("Live", { exact: true }).waitFor();
  assert.equal(await part.locator("tbody tr").count(), there.length - 1, "its links");
  await part.getByRole("button", { name: `Drain ${other}` }).click();
  assert.match(await board.asked(), /not ready[\s\S]*close with 1012[\s\S]*Resume undoes this/);
  await board.typed(other).fill(other);
  assert.equal(await board.confirm("Drain"), `Node ${other} drains now.`);
  await part.getByText("Draining", { exact: true }).waitFor();
  assert.equal((await nodes()).find(({ node }) => node === other)?.draining, true);
  await board.go("Overview");
  await board.page.locator(".attention li", { hasText: "is draining" }).waitFor();
  await board.go("Nodes");
  await part.getByRole("button", { name: `Resume ${other}` }).click();
  assert.equal(await board.confirm("Resume"), `Node ${other} takes its part again.`);
  await part.getByText("Live", { exact: true }).waitFor();
  assert.equal((await nodes()).find(({ node }) => node === other)?.draining, false);
  await board.page.locator(".node").first().waitFor();
  await board.go("Audit");
  for (const action of ["node.drain", "node.resume"]) await board.page.locator("tbody tr", { hasText: action }).filter({ hasText: other }).first().waitFor();
  assert.deepEqual(board.complaints, []);
  await board.close();
});

test("a shard is moved after its dry run, and back", { skip }, async () => {
  const shards = async (): Promise<Shard> => (await ask<{ items: Shard[] }>("/shards?limit=10")).items[7] as Shard;
  // An earlier run may have left it elsewhere.
  await ask("/shards/7/move", {});
  await comesTo(shards, (shard) => !shard.moved);
  const { owner } = await shards();
  const other = (await nodes()).map(({ node }) => node).find((node) => node !== owner) ?? "";
  const board = await enter();
  await board.go("Shards");
  const move = async (to: string, expected: RegExp): Promise<string> => {
    await board.page.getByRole("searchbox").fill("7");
    await board.page.getByRole("button", { name: "Move shard 7" }).click();
    await board.dialog.getByLabel("To").selectOption(to);
    await board.dialog.getByRole("button", { name: "See what would happen" }).click();
    await board.dialog.locator(".outcome", { hasText: "would" }).waitFor();
    assert.match(await board.asked(), expected);
    await board.dialog.getByRole("button", { name: "Move", exact: true }).click();
    await board.dialog.locator(".outcome", { hasText: "should be at" }).waitFor();
    return board.outcome();
  };
  assert.equal(await move(other, new RegExp(`would go from ${owner} to ${other}`)), `Shard 7 should be at ${other} now.`);
  await comesTo(shards, (shard) => shard.owner === other && shard.moved);
  await board.page.getByRole("button", { name: "Refresh" }).click();
  await board.page.getByLabel("Moved by an operator").check();
  await board.page.locator('[data-shard="7"]', { hasText: other }).waitFor();
  await board.page.getByLabel("Moved by an operator").uncheck();
  await move("", new RegExp(`would go from ${other} to ${owner}`));
  await comesTo(shards, (shard) => shard.owner === owner && !shard.moved);
  assert.deepEqual(board.complaints, []);
  await board.close();
});

test("a room's log and its people are seen over all nodes", { skip }, async () => {
  const handle = `wren-${crypto.randomUUID().slice(0, 8)}`;
  const wren = await account(URL, handle, "Wren");
  const room = await group(wren, `Nest of ${handle}`, []);
  await post(wren, room, "hello");
  await wren.start();
  const board = await enter();
  await board.find("Rooms", `Nest of ${handle}`);
  await board.button("Read digests").click();
  await board.page.getByText("All nodes that answer see the same log.").waitFor();
  assert.equal(await board.page.locator("tbody tr").count(), (await nodes()).length);
  await board.find("Users", handle);
  await board.page.locator(".where", { hasText: "1 connection on" }).waitFor();
  await wren.stop();
  assert.deepEqual(board.complaints, []);
  await board.close();
});
