// The server under test: the real binary on a free port with a data folder of its own, killed and restarted.

import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const START_MS = 60_000;

/** Cheap passwords, and room for many accounts and messages. */
const SETTINGS: Record<string, string | number> = {
  "auth.password_memory_kib": 64,
  "auth.password_passes": 1,
  "limits.anonymous_per_minute": 1_000_000,
  "limits.requests_per_second": 100_000,
  "limits.request_burst": 100_000,
  "limits.sends_per_second": 100_000,
  "limits.send_burst": 100_000,
};

function binary(): string {
  const path = process.env["ROOKERY_BINARY"] ?? fileURLToPath(new URL("../../../../../target/debug/rookery", import.meta.url));
  if (!existsSync(path)) throw new Error(`the server is not at ${path}: \`cargo build\` makes it; ROOKERY_BINARY names another`);
  return path;
}

/** What runs ends with the tests, also when the runner has lost its patience with them. */
const running = new Set<ChildProcess>();
process.once("exit", () => running.forEach((child) => child.kill("SIGKILL")));
process.once("SIGTERM", () => process.exit(143));

/** A server, running or not. */
export class Server {
  readonly #folder = mkdtempSync(join(tmpdir(), "rookery-sdk-"));
  readonly #settings: Record<string, string | number>;
  #child: ChildProcess | undefined;
  url = "";
  admin = "";
  #tokenFile = "";

  private constructor(settings: Record<string, string | number>) {
    this.#settings = { ...SETTINGS, ...settings };
  }

  /** A server with an empty data folder. */
  static async start(settings: Record<string, string | number> = {}): Promise<Server> {
    const server = new Server(settings);
    await server.up();
    return server;
  }

  /** Starts the process and waits until it says that it accepts connections. */
  async up(): Promise<void> {
    const flags = ["serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--data", join(this.#folder, "data")];
    for (const [key, value] of Object.entries(this.#settings)) flags.push("--set", `${key}=${value}`);
    const log = openSync(join(this.#folder, "server.log"), "a");
    const child = spawn(binary(), flags, { stdio: ["ignore", "pipe", log] });
    this.#child = child;
    running.add(child);
    child.once("exit", () => running.delete(child));
    await new Promise<void>((resolve, reject) => {
      const failed = (why: string): void => reject(new Error(`the server ${why}\n${this.log()}`));
      const timer = setTimeout(() => failed(`is not ready after ${START_MS} ms`), START_MS);
      child.once("exit", (code) => failed(`ended before it was ready (${code})`));
      createInterface({ input: child.stdout! }).on("line", (line) => {
        if (line.startsWith("url ")) this.url = line.slice(4).trim();
        else if (line.startsWith("admin token ")) {
          this.#tokenFile = line.slice(12).trim();
          clearTimeout(timer);
          resolve();
        } else if (line.startsWith("admin ")) this.admin = line.slice(6).trim();
      });
    });
  }

  /** kill -9. */
  async kill(): Promise<void> {
    await this.#ended("SIGKILL");
  }

  /** Asks it to end, as an init system does. */
  async terminate(): Promise<void> {
    await this.#ended("SIGTERM");
  }

  signal(name: NodeJS.Signals): void {
    this.#child?.kill(name);
  }

  async #ended(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill(signal);
    await ended;
  }

  /** Keeps a copy of the data of a server that does not run; `restore` puts it back. */
  backUp(): void {
    cpSync(join(this.#folder, "data"), join(this.#folder, "backup"), { recursive: true });
  }

  restore(): void {
    rmSync(join(this.#folder, "data"), { recursive: true });
    cpSync(join(this.#folder, "backup"), join(this.#folder, "data"), { recursive: true });
  }

  /** Ends it and removes its data. */
  async end(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** A request to the admin endpoint. */
  async administrate(method: string, path: string, body?: unknown): Promise<unknown> {
    const headers = { ...this.#administrator(), "Content-Type": "application/json" };
    const answer = await fetch(`${this.admin}/admin/v1${path}`, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text === "" ? undefined : JSON.parse(text);
  }

  /** What is counted under this name. */
  async metric(name: string): Promise<number> {
    const text = await (await fetch(`${this.admin}/metrics`, { headers: this.#administrator() })).text();
    const line = text.split("\n").find((each) => each.startsWith(`${name} `));
    if (line === undefined) throw new Error(`${name} is not counted`);
    return Number(line.slice(name.length + 1));
  }

  /** What an operator shows first. */
  get adminToken(): string {
    return readFileSync(this.#tokenFile, "utf8").trim();
  }

  #administrator(): Record<string, string> {
    return { Authorization: `Bearer ${this.adminToken}` };
  }

  log(): string {
    return readFileSync(join(this.#folder, "server.log"), "utf8").split("\n").slice(-30).join("\n");
  }
}
