// Where the bytes of a file come from, what to call it, and its sum.

import { RookeryError } from "../errors.js";

/** What reads any part of a file: an open file, a store of one's own. */
export interface PartSource {
  /** Its bytes. */
  readonly size: number;
  /** The bytes from `from` up to and without `to`; each as often as it is asked for. */
  read(from: number, to: number): Promise<Uint8Array<ArrayBuffer> | Blob>;
}

/** Where the bytes of a file come from. */
export type MediaSource = Blob | PartSource;

/** Files up to this size are summed beforehand, so that the server finds a byte that changed on the way. */
const SUMMED = 64 * 1_024 * 1_024;
/** What the server takes as a name. */
const NAME_BYTES = 255;

/** Some bytes of a file, in memory: a file that cannot be read is told from a server that cannot be reached. */
export async function partOf(source: MediaSource, from: number, to: number): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const part = source instanceof Blob ? source.slice(from, to) : await source.read(from, to);
    return part instanceof Blob ? new Uint8Array(await part.arrayBuffer()) : part;
  } catch (cause) {
    throw new RookeryError("unusable", "the file cannot be read: it was changed or removed", { cause });
  }
}

/** The SHA-256 in hexadecimal, where that is cheap: `crypto.subtle` wants all bytes at once, and a page with TLS. */
export async function sumOf(source: MediaSource): Promise<string | undefined> {
  const subtle = (globalThis.crypto as Crypto | undefined)?.subtle as SubtleCrypto | undefined;
  if (subtle === undefined || source.size > SUMMED) return undefined;
  const bytes = await partOf(source, 0, source.size);
  const sum = new Uint8Array(await subtle.digest("SHA-256", bytes));
  return Array.from(sum, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * A name that the server takes, as near as possible to the one that a file has: without folders, without what cannot be
 * seen or turns the direction of letters, not too long, and with its ending.
 */
export function usableName(name: string): string {
  const line = name.replace(/\s/gu, " ").replace(/[\p{C}\u2800\u3164\uffa0\u115f\u1160]/gu, (letter) => (letter === "\u200d" ? letter : ""));
  const clean = line.replace(/[/\\]/g, "_").trim();
  const short = shortened(clean);
  return /^\.*$/.test(short) ? "file" : short;
}

function shortened(name: string): string {
  const length = (text: string): number => new TextEncoder().encode(text).length;
  if (length(name) <= NAME_BYTES) return name;
  const ending = /\.[^.]{1,15}$/u.exec(name)?.[0] ?? "";
  const letters = [...name.slice(0, name.length - ending.length)];
  let left = NAME_BYTES - length(ending);
  const kept: string[] = [];
  for (const letter of letters) {
    left -= length(letter);
    if (left < 0) break;
    kept.push(letter);
  }
  return (kept.join("") + ending).trim();
}
