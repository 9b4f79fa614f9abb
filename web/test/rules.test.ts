// The rules that need no browser: what Markdown means, which addresses are followed, where rows are.

import assert from "node:assert/strict";
import { test } from "node:test";
import { pixelsOf } from "../src/media/blurhash.js";
import { barsOf, boxOf, bytesInWords, timeInWords } from "../src/media/sizes.js";
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

test("a picture's box is known before the picture, and is never a line or larger than it may be", () => {
  assert.deepEqual(boxOf(720, 480), { width: 320, height: 213 });
  assert.deepEqual(boxOf(100, 4_000), { width: 96, height: 320 });
  assert.deepEqual(boxOf(4_000, 10), { width: 320, height: 64 });
  assert.deepEqual(boxOf(120, 120), { width: 120, height: 120 });
  assert.deepEqual(boxOf(undefined, null), { width: 160, height: 160 });
});

test("sizes and times are said as people say them", () => {
  assert.deepEqual([0, 999, 1_000, 9_949, 99_500, 999_499, 999_500, 4_200_000, 2 ** 31].map(bytesInWords), ["0 B", "999 B", "1.0 kB", "9.9 kB", "100 kB", "999 kB", "1.0 MB", "4.2 MB", "2.1 GB"]);
  assert.deepEqual([0, 499, 500, 59_600, 900_000].map(timeInWords), ["0:00", "0:00", "0:01", "1:00", "15:00"]);
});

test("a waveform of any length becomes as many bars as there is room for, and loses no peak", () => {
  assert.deepEqual(barsOf([], 4), []);
  assert.deepEqual(barsOf([1, 9], 4), [1, 1, 9, 9]);
  assert.deepEqual(barsOf([1, 2, 3, 4, 90, 6, 7, 8], 4), [2, 4, 90, 8]);
});

test("the colours of a picture come out of its hash, and out of anything else nothing does", () => {
  const pixels = pixelsOf("LEHV6nWB2yk8pyo0adR*.7kCMdnj", 8, 8);
  assert.equal(pixels?.length, 256);
  // The average of the pixels is the colour that the hash begins with.
  const average = [0, 1, 2].map((channel) => {
    let sum = 0;
    for (let at = channel; at < 256; at += 4) sum += pixels?.[at] ?? 0;
    return sum / 64;
  });
  for (const [at, expected] of [151, 150, 149].entries()) assert.ok(Math.abs((average[at] ?? 0) - expected) < 4, average.join(" "));
  for (const wrong of ["", "L", "LEHV6nWB2yk8pyo0adR*.7kCMdn", "LEHV6nWB2yk8pyo0adR*.7kCMdn\"", "💥".repeat(14)]) assert.equal(pixelsOf(wrong, 8, 8), undefined, wrong);
});
