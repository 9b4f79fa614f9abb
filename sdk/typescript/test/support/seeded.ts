// Numbers by chance that a seed makes again.

/** A source of numbers from 0 to 1 (Mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** The seed of this run: given, or new. */
export function seedOfThisRun(): number {
  const given = process.env["ROOKERY_SDK_SEED"];
  return given === undefined ? Math.floor(Math.random() * 4_294_967_296) : Number(given);
}
