// The rules that need no browser: what Markdown means, which addresses are followed, where rows are.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Rows } from "../src/room/rows.js";
import { type Block, blocksOf, type Inline, plainOf } from "../src/text/markdown.js";
import { safeAddress, urlAt } from "../src/text/links.js";

/** A tree in short: `strong(a em(b))`. */
function short(parts: readonly Inline[]): string {
  return parts.map((part) => {
    switch (part.kind) {
      case "text":
        return part.text;
      case "break":
        return "/";
      case "code":
        return `code(${part.text})`;
      case "mention":
        return `mention(${part.handle})`;
      case "link":
        return `link(${part.href} ${short(part.inner)}${part.place && ` at ${part.place}`})`;
      default:
        return `${part.kind}(${short(part.inner)})`;
    }
  }).join("");
}

function shape(blocks: readonly Block[]): string {
  return blocks.map((block) => {
    if (block.kind === "paragraph") return short(block.inner);
    if (block.kind === "code") return `block(${block.text})`;
    return block.kind === "quote" ? `quote(${shape(block.blocks)})` : `list(${block.items.map(short).join("|")})`;
  }).join(" ");
}

test("the little Markdown means what people mean", () => {
  const cases: [string, string][] = [
    ["plain", "plain"],
    ["**bold** and *soft* and _soft_ and ~~gone~~", "strong(bold) and em(soft) and em(soft) and strike(gone)"],
    ["**bold *and soft* too**", "strong(bold em(and soft) too)"],
    ["snake_case_name and 2*3*4 and a * b * c", "snake_case_name and 2*3*4 and a * b * c"],
    ["`*code*` and \\*stars\\*", "code(*code*) and *stars*"],
    ["one\ntwo", "one/two"],
    ["> said\n> twice\n\nanswer", "quote(said/twice) answer"],
    ["- a\n- **b**", "list(a|strong(b))"],
    ["```\nlet a = *b*;\n```\nafter", "block(let a = *b*;) after"],
    ["```\nnever ends", "block(never ends)"],
    ["@wren and mail@wren.example", "mention(wren) and mail@wren.example"],
    ["see https://a.example/b_c_d(e).", "see link(https://a.example/b_c_d(e) https://a.example/b_c_d(e))."],
    ["[words](https://a.example/x)", "link(https://a.example/x words at a.example)"],
    ["[https://b.example](https://a.example/)", "link(https://a.example/ https://b.example at a.example)"],
    ["[x](javascript:alert(1))", "[x](javascript:alert(1))"],
    ["**", "**"],
    ["", ""],
  ];
  for (const [text, expected] of cases) assert.equal(shape(blocksOf(text)), expected, text);
  assert.equal(plainOf("**a** [b](https://c.example)\n> d"), "a b d");
});

test("only addresses that do no harm are followed", () => {
  for (const text of ["https://a.example/b", "http://a.example", "mailto:wren@a.example"]) assert.ok(safeAddress(text), text);
  const refused = [
    "javascript:alert(1)", "JAVASCRIPT:alert(1)", "java\nscript:alert(1)", " javascript:alert(1)", "data:text/html,x", "vbscript:x", "file:///etc/passwd",
    "blob:https://a.example/x", "//a.example", "/relative", "https://user:password@a.example", "https://a.example/\u202ex", "https://\u200ba.example", "nothing",
  ];
  for (const text of refused) assert.equal(safeAddress(text), undefined, text);
  assert.equal(urlAt("x https://a.example, y", 2), "https://a.example");
  assert.equal(urlAt("(https://a.example)", 1), "https://a.example");
});

test("a host in letters that look like others is shown as it is asked for", () => {
  assert.match(short((blocksOf("https://\u0430pple.example/")[0] as { inner: Inline[] }).inner), /link\(https:\/\/xn--/);
});

test("whatever the text is, it takes little time", () => {
  const size = 16_000;
  const texts = ["*", "**a ", "_a", "~~", "[", "[a](", "[a](https://", "`", "> ", ">", "- ", "@a", "https://", "\\", "*_~`[", "**a*", "((((", "\n", "h", "```\n"];
  // Once, so that what is measured is the work and not the making ready.
  for (const part of texts) blocksOf(part.repeat(50));
  for (const part of texts) {
    const began = process.cpuUsage();
    blocksOf(part.repeat(Math.floor(size / part.length)));
    const { user, system } = process.cpuUsage(began);
    assert.ok(user + system < 100_000, `${JSON.stringify(part)}: ${user + system} µs`);
  }
});

test("rows know where they are, whatever comes before, behind and between", () => {
  const rows = new Rows();
  let keys: (number | string)[] = [10, 11, 12];
  const real = new Map<number | string, number>();
  const update = (): void => rows.update(keys.length, (index) => keys[index] ?? "", () => 50);
  const check = (): void => {
    let offset = 0;
    keys.forEach((key, index) => {
      assert.equal(rows.offset(index), offset, `row ${key}`);
      assert.equal(rows.indexOf(key), index);
      assert.equal(rows.at(offset + 1), index);
      offset += real.get(key) ?? 50;
    });
    assert.equal(rows.total, offset);
  };
  const measure = (key: number | string, height: number): void => {
    real.set(key, height);
    rows.measure(key, height);
  };
  update();
  check();
  measure(11, 80);
  check();
  keys = [...keys, 13, "mine"];
  update();
  measure("mine", 33);
  check();
  keys = [7, 8, 9, ...keys];
  update();
  check();
  keys = [...keys.slice(0, -1), 14];
  update();
  measure(14, 61);
  measure(7, 20);
  check();
  keys = keys.slice(3);
  update();
  check();
  assert.equal(rows.indexOf(7), -1);
  keys = [];
  update();
  assert.equal(rows.total, 0);
});

test("a hundred thousand rows are quick to grow", () => {
  const rows = new Rows();
  const update = (count: number): void => rows.update(count, (index) => index + 1, () => 60);
  update(100_000);
  assert.equal(rows.total, 6_000_000);
  const began = process.cpuUsage();
  for (let count = 100_001; count <= 101_000; count += 1) {
    update(count);
    rows.measure(count, 70);
    assert.equal(rows.total, 6_000_000 + (count - 100_000) * 70);
  }
  const { user, system } = process.cpuUsage(began);
  assert.ok(user + system < 500_000, `${user + system} µs for a thousand more`);
});
