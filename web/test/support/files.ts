// Files that tests send: real pictures and sound, made here.

import { Buffer } from "node:buffer";
import { crc32, deflateSync } from "node:zlib";

type Colour = readonly [number, number, number];

function chunk(name: string, content: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(name, "latin1"), content]);
  const whole = Buffer.alloc(body.length + 8);
  whole.writeUInt32BE(content.length, 0);
  body.copy(whole, 4);
  whole.writeUInt32BE(crc32(body), body.length + 4);
  return whole;
}

/** A picture in PNG. */
export function png(width: number, height: number, colour: (x: number, y: number) => Colour): Buffer<ArrayBuffer> {
  const rows = Buffer.alloc(height * (1 + width * 3));
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) rows.set(colour(x, y), y * (1 + width * 3) + 1 + x * 3);
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const parts = [Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]), chunk("IHDR", header), chunk("IDAT", deflateSync(rows)), chunk("IEND", Buffer.alloc(0))];
  return Buffer.from(new Uint8Array(Buffer.concat(parts)).buffer);
}

/** One colour with a shade. */
export const plain = (colour: Colour, width = 400, height = 300): Buffer<ArrayBuffer> =>
  png(width, height, (x) => [colour[0], colour[1], Math.min(colour[2] + Math.floor((x / width) * 60), 255)]);

/** A lake in the evening. */
export function lake(width = 720, height = 480): Buffer<ArrayBuffer> {
  const ridge = (x: number): number => height * (0.42 - 0.07 * Math.sin(x / 71) - 0.04 * Math.sin(x / 23 + 1) - 0.012 * Math.sin(x / 7));
  const mix = (one: Colour, other: Colour, part: number): Colour => [0, 1, 2].map((at) => Math.round((one[at] ?? 0) + ((other[at] ?? 0) - (one[at] ?? 0)) * part)) as unknown as Colour;
  const sky = (y: number): Colour => mix([58, 92, 138], [250, 190, 130], Math.min(y / (height * 0.55), 1));
  return png(width, height, (x, y) => {
    const shore = height * 0.58;
    if (y > shore) {
      const mirrored = shore - (y - shore) * 1.1;
      const ripple = Math.sin(y / 2.2 + Math.sin(x / 37) * 2) * 7;
      const seen = mirrored > ridge(x + ripple) ? ([38, 58, 62] as Colour) : sky(mirrored);
      return mix(seen, [30, 60, 86], 0.3 + ((y - shore) / height) * 0.5);
    }
    const sun = Math.hypot(x - width * 0.68, y - height * 0.3);
    if (y > ridge(x)) return mix([46, 74, 70], [28, 46, 48], (y - ridge(x)) / (height * 0.25));
    return sun < 26 ? [255, 236, 196] : mix(sky(y), [255, 226, 178], Math.max(0, 1 - sun / 190) * 0.7);
  });
}

/** A tone that swells and fades, in WAV. */
export function wav(seconds: number, loudness: (at: number) => number = () => 0.5): Buffer<ArrayBuffer> {
  const rate = 8_000;
  const samples = Math.round(rate * seconds);
  const file = Buffer.alloc(44 + samples * 2);
  file.write("RIFF", 0, "latin1");
  file.writeUInt32LE(36 + samples * 2, 4);
  file.write("WAVEfmt ", 8, "latin1");
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(1, 20);
  file.writeUInt16LE(1, 22);
  file.writeUInt32LE(rate, 24);
  file.writeUInt32LE(rate * 2, 28);
  file.writeUInt16LE(2, 32);
  file.writeUInt16LE(16, 34);
  file.write("data", 36, "latin1");
  file.writeUInt32LE(samples * 2, 40);
  for (let at = 0; at < samples; at += 1) {
    file.writeInt16LE(Math.round(Math.sin((at / rate) * 2 * Math.PI * 330) * loudness(at / samples) * 20_000), 44 + at * 2);
  }
  return Buffer.from(new Uint8Array(file).buffer);
}
