// The few colours that stand for a picture until it is there (BlurHash), as pixels.

const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~";

function number(text: string): number {
  let value = 0;
  for (const digit of text) {
    const place = DIGITS.indexOf(digit);
    if (place < 0) return NaN;
    value = value * 83 + place;
  }
  return value;
}

const linear = (channel: number): number => (channel <= 10.31475 ? channel / 3294.6 : ((channel / 255 + 0.055) / 1.055) ** 2.4);
const screen = (value: number): number => {
  const one = Math.min(Math.max(value, 0), 1);
  return Math.round(255 * (one <= 0.0031308 ? one * 12.92 : 1.055 * one ** (1 / 2.4) - 0.055));
};
const signedSquare = (value: number): number => Math.sign(value) * value * value;

type Colour = readonly [number, number, number];

function coloursOf(hash: string): { across: number; colours: Colour[] } | undefined {
  const sizes = number(hash.slice(0, 1));
  const [across, down] = [(sizes % 9) + 1, Math.floor(sizes / 9) + 1];
  if (hash.length !== 4 + 2 * across * down) return undefined;
  const most = (number(hash.slice(1, 2)) + 1) / 166;
  const colours = Array.from({ length: across * down }, (_, at): Colour => {
    if (at === 0) {
      const value = number(hash.slice(2, 6));
      return [linear(value >> 16), linear((value >> 8) & 255), linear(value & 255)];
    }
    const value = number(hash.slice(4 + at * 2, 6 + at * 2));
    const channel = (digit: number): number => signedSquare((digit - 9) / 9) * most;
    return [channel(Math.floor(value / 361)), channel(Math.floor(value / 19) % 19), channel(value % 19)];
  });
  return colours.flat().some(Number.isNaN) ? undefined : { across, colours };
}

/** Red, green, blue and opacity of every pixel; `undefined` if the hash is none. */
export function pixelsOf(hash: string, width: number, height: number): Uint8ClampedArray<ArrayBuffer> | undefined {
  const known = coloursOf(hash);
  if (!known) return undefined;
  const pixels = new Uint8ClampedArray(width * height * 4);
  for (let at = 0; at < width * height; at += 1) {
    const [x, y] = [at % width, Math.floor(at / width)];
    const sums = [0, 0, 0];
    known.colours.forEach((colour, place) => {
      const wave = Math.cos((Math.PI * x * (place % known.across)) / width) * Math.cos((Math.PI * y * Math.floor(place / known.across)) / height);
      colour.forEach((channel, which) => (sums[which] = (sums[which] ?? 0) + channel * wave));
    });
    pixels.set([...sums.map(screen), 255], at * 4);
  }
  return pixels;
}
