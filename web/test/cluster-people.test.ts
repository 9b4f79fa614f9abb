// Two people who have never seen it, on three nodes of which one is killed while they chat: the owner of their room, then the
// one that somebody is connected to.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { launch, SOUND } from "./support/browser.js";
import { anyAdmin, ask, script, skip, URL } from "./support/cluster.js";
import { type Death, play } from "./support/story.js";

let browser: Browser;

before(async () => {
  if (!skip) browser = await launch(SOUND);
});
after(async () => {
  await browser?.close();
});

/** The death of the node that is found to have a part in the conversation. */
function deathOf(find: (room: string, user: string) => Promise<string>): Death {
  let number = "";
  return {
    isSurvived: true,
    async kill(room, user) {
      const node = await find(room, user);
      number = /^node-(\d+)$/.exec(node)?.[1] ?? "";
      assert.ok(number, `a node of the cluster: ${node}`);
      await script("kill", number);
    },
    async revive() {
      await script("start", number);
    },
  };
}

const owner = async (room: string): Promise<string> => (await ask<{ owner: string }>(`/rooms/${room}`, undefined, await anyAdmin())).owner;

async function host(_room: string, user: string): Promise<string> {
  const { items } = await ask<{ items: { node: string }[] }>(`/users/${user}/sessions`, undefined, await anyAdmin());
  return items[0]?.node ?? "";
}

test("over three nodes they see the same, whichever is killed", { skip, timeout: 300_000 }, async () => {
  await play({ browser, url: URL, deaths: [deathOf(owner), deathOf(host)] });
});
