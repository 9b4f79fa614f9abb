// The cluster of `scripts/cluster`, as operators reach it; `scripts/web cluster` starts it and says where it is.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { PATIENCE_MS } from "./browser.js";

const given = (name: string): string => process.env[name] ?? "";
export const URL = given("ROOKERY_URL");
export const ADMIN = given("ROOKERY_ADMIN_URL");
export const TOKEN = given("ROOKERY_ADMIN_TOKEN");
/** Why there is nothing to test. */
export const skip = ADMIN === "" && "no cluster: `scripts/web cluster` runs this";

/** What a node answers to operators. */
export async function ask<T>(path: string, body?: unknown, admin = ADMIN): Promise<T> {
  const headers = { Authorization: `Bearer ${TOKEN}`, "Content-Type": "application/json" };
  const answer = await fetch(`${admin}/admin/v1${path}`, body === undefined ? { headers } : { method: "POST", headers, body: JSON.stringify(body) });
  assert.equal(answer.status, 200, path);
  return (await answer.json()) as T;
}

/** Nodes tell each other within some rounds of gossip. */
export async function comesTo<T>(look: () => Promise<T>, isThere: (seen: T) => boolean): Promise<void> {
  const until = Date.now() + PATIENCE_MS;
  for (;;) {
    const seen = await look();
    if (isThere(seen)) return;
    assert.ok(Date.now() < until, JSON.stringify(seen));
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Calls `scripts/cluster` with these words, for the cluster that runs. */
export async function script(...words: string[]): Promise<string> {
  const path = fileURLToPath(new globalThis.URL("../../../../../scripts/cluster", import.meta.url));
  return (await promisify(execFile)(path, [...words, "--data", given("ROOKERY_CLUSTER_DATA")])).stdout;
}

interface Standing { admin_url: string; ready: boolean }

/** An operators' address of a node that is ready: the usual one may be of a node that is dead. */
export async function anyAdmin(): Promise<string> {
  const { nodes } = JSON.parse(await script("status", "--json")) as { nodes: Standing[] };
  const ready = nodes.find((node) => node.ready);
  assert.ok(ready, "a node is ready");
  return ready.admin_url;
}
