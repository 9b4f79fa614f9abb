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

test("all scripts together are small", (context) => {
  const scripts = [...files(join(web, "dist"))].filter(([name]) => name.endsWith(".js.gz"));
  assert.ok(scripts.length > 0);
  const size = scripts.reduce((sum, [, bytes]) => sum + bytes.length, 0);
  context.diagnostic(`${size} bytes, gzipped`);
  assert.ok(size <= MOST_GZIPPED, `${size} bytes`);
});
