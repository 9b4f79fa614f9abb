// The committed bundle is what the sources make, byte by byte, and as small as it is to be.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";

const web = fileURLToPath(new URL("../../../", import.meta.url));
const MOST_GZIPPED = 70_000;
/** Beside what they share with the client. */
const MOST_GZIPPED_OF_OPERATORS = 40_000;

function files(folder: string): Map<string, Buffer> {
  const found = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(found.map((entry) => {
    const path = join(entry.parentPath ?? entry.path, entry.name);
    return [path.slice(folder.length + 1), readFileSync(path)] as const;
  }).sort(([one], [other]) => one.localeCompare(other)));
}

test("building again makes the committed bundle, byte by byte", () => {
  const folder = mkdtempSync(join(tmpdir(), "rookery-web-"));
  try {
    const built = spawnSync("npx", ["vite", "build", "--outDir", folder, "--emptyOutDir"], { cwd: web, encoding: "utf8" });
    assert.equal(built.status, 0, built.stderr);
    const [committed, fresh] = [files(join(web, "dist")), files(folder)];
    assert.deepEqual([...fresh.keys()], [...committed.keys()], "`scripts/web build` makes the bundle anew");
    for (const [name, bytes] of fresh) {
      // Versions of zlib compress in different ways: there the content counts.
      const content = (of: Buffer): Buffer => (name.endsWith(".gz") ? gunzipSync(of) : of);
      assert.ok(content(bytes).equals(content(committed.get(name) ?? Buffer.alloc(0))), `${name}: \`scripts/web build\` makes the bundle anew`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

const isOfOperators = (name: string): boolean => name.startsWith("assets/admin-");

/** How much the scripts of one of the two pages are, compressed; what they share counts for the client. */
function sizeOf(whose: "people" | "operators"): number {
  const scripts = [...files(join(web, "dist"))].filter(([name]) => name.endsWith(".js.gz") && isOfOperators(name) === (whose === "operators"));
  assert.ok(scripts.length > 0, whose);
  return scripts.reduce((sum, [, bytes]) => sum + bytes.length, 0);
}

test("all scripts of the client together are small", (context) => {
  const size = sizeOf("people");
  context.diagnostic(`${size} bytes, gzipped`);
  assert.ok(size <= MOST_GZIPPED, `${size} bytes`);
});

test("the scripts of the operators' page are small, and theirs alone", (context) => {
  const size = sizeOf("operators");
  context.diagnostic(`${size} bytes, gzipped`);
  assert.ok(size <= MOST_GZIPPED_OF_OPERATORS, `${size} bytes`);
  const named = (page: string): string[] => [...readFileSync(join(web, "dist", page), "utf8").matchAll(/"\/(assets\/[^"]+)"/g)].map(([, name]) => name ?? "");
  assert.ok(named("index.html").length > 0);
  assert.deepEqual(named("index.html").filter(isOfOperators), []);
  const own = named("admin.html").filter((name) => !named("index.html").includes(name));
  assert.ok(own.length >= 2 && own.every(isOfOperators), "what the client does not use is served to operators only");
});
