// The hash of everything that goes into the bundle; tests/web.rs has the same list and computes the same.

import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";

const SOURCES = [
  "sdk/typescript/src",
  "web/admin.html",
  "web/index.html",
  "web/package-lock.json",
  "web/package.json",
  "web/scripts",
  "web/src",
  "web/tsconfig.json",
  "web/vite.config.ts",
];

const root = fileURLToPath(new URL("../../", import.meta.url));

/** @param {string} path @returns {string[]} */
function filesUnder(path) {
  if (!statSync(root + path).isDirectory()) return [path];
  return readdirSync(root + path).flatMap((name) => filesUnder(`${path}/${name}`));
}

/** @param {string | Buffer} content */
const hex = (content) => createHash("sha256").update(content).digest("hex");

/** SHA-256 over one line per file: its path and the hash of its content, by path. */
export function hashOfSources() {
  const files = SOURCES.flatMap(filesUnder).sort();
  return hex(files.map((file) => `${file} ${hex(readFileSync(root + file))}\n`).join(""));
}
