// The little Markdown that messages have, as a tree. Nothing here makes markup: a screen draws the tree with text nodes.
//
// Every part looks at each letter a bounded number of times, whatever the text is.

import { safeAddress, urlAt } from "./links.js";

export type Inline =
  | { kind: "text"; text: string }
  | { kind: "break" }
  | { kind: "code"; text: string }
  | { kind: "strong" | "em" | "strike"; inner: Inline[] }
  | { kind: "link"; href: string; inner: Inline[]; place: string }
  | { kind: "mention"; handle: string };

export type Block =
  | { kind: "paragraph"; inner: Inline[] }
  | { kind: "code"; text: string }
  | { kind: "quote"; blocks: Block[] }
  | { kind: "list"; start: number | undefined; items: Inline[][] };

const DEEPEST = 4;
const ITEM = /^\s{0,3}(?:[-*•]|(\d{1,4})[.)])\s+(.*)$/;

export function blocksOf(text: string, depth = 0): Block[] {
  const lines = text.split("\n");
  const blocks: Block[] = [];
  let at = 0;
  const take = (belongs: (line: string) => boolean): string[] => {
    const from = at;
    while (at < lines.length && belongs(lines[at] ?? "")) at += 1;
    return lines.slice(from, at);
  };
  while (at < lines.length) {
    const line = lines[at] ?? "";
    if (line.startsWith("```")) {
      at += 1;
      const code = take((one) => !one.startsWith("```"));
      at += 1;
      blocks.push({ kind: "code", text: code.join("\n") });
    } else if (line.startsWith(">") && depth < DEEPEST) {
      const inner = take((one) => one.startsWith(">")).map((one) => one.replace(/^> ?/, ""));
      blocks.push({ kind: "quote", blocks: blocksOf(inner.join("\n"), depth + 1) });
    } else if (ITEM.test(line)) {
      blocks.push(listOf(take((one) => ITEM.test(one))));
    } else if (line.trim() === "") {
      at += 1;
    } else {
      const isPlain = (one: string): boolean =>
        one.trim() !== "" && !one.startsWith("```") && !(one.startsWith(">") && depth < DEEPEST) && !ITEM.test(one);
      blocks.push({ kind: "paragraph", inner: inlineOf(take(isPlain).join("\n")) });
    }
  }
  return blocks;
}

function listOf(lines: string[]): Block {
  const parts = lines.map((line) => ITEM.exec(line));
  const number = parts[0]?.[1];
  return {
    kind: "list",
    start: number === undefined ? undefined : Number(number),
    items: parts.map((part) => inlineOf(part?.[2] ?? "")),
  };
}

const MARKS: readonly (readonly [string, "strong" | "em" | "strike"])[] = [
  ["**", "strong"],
  ["__", "strong"],
  ["~~", "strike"],
  ["*", "em"],
  ["_", "em"],
];
const MENTION = /@([\p{L}\p{N}_](?:[\p{L}\p{N}_.-]{0,30}[\p{L}\p{N}_])?)/uy;
const WORD = /[\p{L}\p{N}_]/u;

/** Reads one stretch of text. What was looked for in vain once is not looked for again. */
class Reader {
  readonly #text: string;
  readonly #depth: number;
  readonly #vain = new Set<string>();
  readonly #found: Inline[] = [];
  #plain = "";
  #at = 0;

  constructor(text: string, depth: number) {
    this.#text = text;
    this.#depth = depth;
  }

  read(): Inline[] {
    while (this.#at < this.#text.length) {
      if (!(this.#special() ?? false)) {
        this.#plain += this.#text[this.#at];
        this.#at += 1;
      }
    }
    this.#flush();
    return this.#found;
  }

  /** Whether something other than plain text was here. */
  #special(): boolean {
    const letter = this.#text[this.#at] ?? "";
    switch (letter) {
      case "\\":
        return this.#escaped();
      case "\n":
        return this.#put({ kind: "break" }, this.#at + 1);
      case "`":
        return this.#code();
      case "[":
        return this.#link();
      case "h":
      case "m":
        return this.#address();
      case "@":
        return this.#mention();
      default:
        return "*_~".includes(letter) && this.#marked();
    }
  }

  #put(node: Inline, next: number): true {
    this.#flush();
    this.#found.push(node);
    this.#at = next;
    return true;
  }

  #flush(): void {
    if (this.#plain !== "") this.#found.push({ kind: "text", text: this.#plain });
    this.#plain = "";
  }

  #escaped(): boolean {
    const next = this.#text[this.#at + 1] ?? "";
    if (!"\\`*_~[]>@".includes(next) || next === "") return false;
    this.#plain += next;
    this.#at += 2;
    return true;
  }

  #code(): boolean {
    const end = this.#find("`", this.#at + 1);
    if (end <= this.#at + 1) return false;
    return this.#put({ kind: "code", text: this.#text.slice(this.#at + 1, end) }, end + 1);
  }

  #link(): boolean {
    if (this.#depth >= DEEPEST) return false;
    const middle = this.#find("](", this.#at + 1);
    if (middle < 0 || middle - this.#at > 300) return false;
    const end = this.#find(")", middle + 2);
    if (end < 0 || end - middle > 2_000) return false;
    const href = safeAddress(this.#text.slice(middle + 2, end).trim());
    const label = this.#text.slice(this.#at + 1, middle);
    if (href === undefined || label.trim() === "" || label.includes("\n")) return false;
    return this.#put({ kind: "link", href, inner: [{ kind: "text", text: label }], place: placeOf(href, label) }, end + 1);
  }

  #address(): boolean {
    if (this.#at > 0 && WORD.test(this.#text[this.#at - 1] ?? "")) return false;
    const raw = urlAt(this.#text, this.#at);
    const href = raw === undefined ? undefined : safeAddress(raw);
    if (raw === undefined || href === undefined) return false;
    // A host in letters that look like others is shown as it is asked for.
    const shown = isAscii(raw) ? raw : href;
    return this.#put({ kind: "link", href, inner: [{ kind: "text", text: shown }], place: "" }, this.#at + raw.length);
  }

  #mention(): boolean {
    if (this.#at > 0 && WORD.test(this.#text[this.#at - 1] ?? "")) return false;
    MENTION.lastIndex = this.#at;
    const handle = MENTION.exec(this.#text)?.[1];
    return handle !== undefined && this.#put({ kind: "mention", handle }, this.#at + handle.length + 1);
  }

  #marked(): boolean {
    for (const [mark, kind] of MARKS) {
      if (!this.#text.startsWith(mark, this.#at)) continue;
      const end = this.#opens(mark) ? this.#closing(mark) : -1;
      if (end < 0) continue;
      const inner = inlineOf(this.#text.slice(this.#at + mark.length, end), this.#depth + 1);
      return this.#put({ kind, inner }, end + mark.length);
    }
    return false;
  }

  #opens(mark: string): boolean {
    const before = this.#text[this.#at - 1] ?? " ";
    const after = this.#text[this.#at + mark.length] ?? " ";
    return this.#depth < DEEPEST && !/\s/.test(after) && !WORD.test(before);
  }

  #closing(mark: string): number {
    if (this.#vain.has(mark)) return -1;
    let end = this.#text.indexOf(mark, this.#at + mark.length + 1);
    while (end >= 0) {
      const after = this.#text[end + mark.length] ?? " ";
      if (!/\s/.test(this.#text[end - 1] ?? " ") && !WORD.test(after) && after !== mark[0]) return end;
      end = this.#text.indexOf(mark, end + 1);
    }
    this.#vain.add(mark);
    return -1;
  }

  #find(what: string, from: number): number {
    if (this.#vain.has(what)) return -1;
    const found = this.#text.indexOf(what, from);
    if (found < 0) this.#vain.add(what);
    return found;
  }
}

export function inlineOf(text: string, depth = 0): Inline[] {
  return new Reader(text, depth).read();
}

/** Where a link really leads, if its words do not say so. */
function placeOf(href: string, label: string): string {
  const url = new URL(href);
  const place = url.host || url.pathname;
  return label.includes(place) && isAscii(label) ? "" : place;
}

function isAscii(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text);
}

/** The words of a text in one line, without what was only said about their looks. */
export function plainOf(text: string, most = 200): string {
  const ofInline = (parts: readonly Inline[]): string =>
    parts.map((part) => {
      if (part.kind === "text" || part.kind === "code") return part.text;
      if (part.kind === "break") return " ";
      return part.kind === "mention" ? `@${part.handle}` : ofInline(part.inner);
    }).join("");
  const ofBlock = (block: Block): string => {
    if (block.kind === "paragraph") return ofInline(block.inner);
    if (block.kind === "code") return block.text;
    return block.kind === "quote" ? block.blocks.map(ofBlock).join(" ") : block.items.map(ofInline).join(" · ");
  };
  return blocksOf(text.slice(0, most * 2)).map(ofBlock).join(" ").replace(/\s+/g, " ").slice(0, most);
}
