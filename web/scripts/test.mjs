// Runs the compiled tests, or those whose file is named: `npm test -- conversation`.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("../build/web/test/", import.meta.url));
const wanted = process.argv.slice(2);
const files = readdirSync(folder)
  .filter((name) => name.endsWith(".test.js") && (wanted.length === 0 || wanted.some((word) => name.includes(word))))
  .sort();
if (files.length === 0) {
  console.error(`no test is called ${wanted.join(" or ")}`);
  process.exit(1);
}
process.env.ROOKERY_BINARY ??= fileURLToPath(new URL("../../target/debug/rookery", import.meta.url));
// One browser at a time: frames are measured.
const { status } = spawnSync(process.execPath, ["--test", "--test-concurrency=1", ...files.map((name) => `${folder}${name}`)], { stdio: "inherit" });
process.exit(status ?? 1);
