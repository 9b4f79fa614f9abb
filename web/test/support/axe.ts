// Whether everybody can use what is on the screen, as far as a program can tell.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

interface Finding {
  id: string;
  impact: string;
  nodes: { html: string; failureSummary: string }[];
}

/** Nothing serious is found, and nothing sticks out at the side. */
export async function look(page: Page, where: string): Promise<void> {
  // A button that is just becoming usable is half transparent for a tenth of a second, and then hard to read.
  await page.evaluate("Promise.allSettled(document.getAnimations().filter((one) => one.effect.getComputedTiming().endTime < Infinity).map((one) => one.finished)).then(() => undefined)");
  await page.evaluate(`${axe}; undefined`);
  const found = (await page.evaluate("axe.run(document, { resultTypes: ['violations'] }).then((all) => all.violations)")) as Finding[];
  const serious = found.filter(({ impact }) => impact === "serious" || impact === "critical");
  const words = serious.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map(({ html, failureSummary }) => `${html} (${failureSummary})`).join("\n  ")}`);
  assert.deepEqual(words, [], where);
  const tooWide = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth");
  assert.equal(tooWide, 0, `${where}: nothing sticks out`);
}
