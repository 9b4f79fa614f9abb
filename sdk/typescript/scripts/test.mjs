// Runs the compiled tests, or those whose file is named: `npm test -- schedule`.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("../build/test/", import.meta.url));
const wanted = process.argv.slice(2);
const files = readdirSync(folder, { recursive: true })
  .map(String)
  .filter((name) => name.endsWith(".test.js") && (wanted.length === 0 || wanted.some((word) => name.includes(word))))
  .sort();
if (files.length === 0) {
  console.error(`no test is called ${wanted.join(" or ")}`);
  process.exit(1);
}
// Node 20 has the platform's WebSocket behind a flag; a test takes it for a browser's.
const flags = typeof WebSocket === "undefined" ? ["--experimental-websocket", "--no-warnings"] : [];
const { status } = spawnSync(process.execPath, [...flags, "--test", "--test-timeout=240000", ...files.map((name) => `${folder}${name}`)], { stdio: "inherit" });
process.exit(status ?? 1);
