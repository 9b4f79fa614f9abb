// Two people who have never seen it, on one node that is killed while they chat.

import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { Server } from "../../sdk/typescript/test/support/server.js";
import { launch, SOUND } from "./support/browser.js";
import { play } from "./support/story.js";

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

test("two people sign up, chat, send a picture and a voice message, lose the network and the server, and see the same", async () => {
  await play({
    browser,
    url: server.url,
    deaths: [{
      isSurvived: false,
      kill: () => server.kill(),
      async revive(networks) {
        await server.up();
        for (const network of networks) network.aim(server.url);
      },
    }],
  });
});
