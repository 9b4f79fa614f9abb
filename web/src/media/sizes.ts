// How large things are: files in words, pictures on the screen, times; no page is needed to know that.

/** The largest box of one picture. */
const BOX = 320;
const LEAST_WIDTH = 96;
const LEAST_HEIGHT = 64;
/** Several pictures are tiles, two beside each other. */
const TILE = 152;
const FILE = 58;
const VOICE = 54;

const UNITS = ["kB", "MB", "GB", "TB"] as const;

export function bytesInWords(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  let unit = 0;
  let size = bytes / 1_000;
  while (size >= 999.5 && unit < UNITS.length - 1) {
    size /= 1_000;
    unit += 1;
  }
  return `${size < 9.95 ? size.toFixed(1) : Math.round(size)} ${UNITS[unit]}`;
}

/** Minutes and seconds. */
export function timeInWords(ms: number): string {
  const seconds = Math.max(Math.round(ms / 1_000), 0);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

export interface Box {
  width: number;
  height: number;
}

/** The box of a picture that stands alone: known before the picture is there. Very long ones are cut. */
export function boxOf(width: number | null | undefined, height: number | null | undefined): Box {
  if (!width || !height) return { width: BOX / 2, height: BOX / 2 };
  const scale = Math.min(1, BOX / width, BOX / height);
  return { width: Math.max(Math.round(width * scale), LEAST_WIDTH), height: Math.max(Math.round(height * scale), LEAST_HEIGHT) };
}

/** What of a file decides how high it stands. */
interface Standing {
  kind?: string;
  width?: number | null;
  height?: number | null;
}

/** How high the files of a message are. */
export function heightOf(files: readonly Standing[]): number {
  const pictures = files.filter((file) => file.kind === "picture");
  const [only] = pictures;
  const tiles = pictures.length === 1 && only ? boxOf(only.width, only.height).height + 6 : Math.ceil(pictures.length / 2) * TILE;
  const rest = files.reduce((sum, { kind }) => sum + (kind === "picture" ? 0 : kind === "voice" ? VOICE : FILE), 0);
  return tiles + rest;
}

/** Bars as high as the loudest that they stand for, so many of them. */
export function barsOf(levels: readonly number[], count: number): number[] {
  if (levels.length === 0) return [];
  return Array.from({ length: count }, (_, at) => {
    const from = Math.floor((at * levels.length) / count);
    const to = Math.max(Math.ceil(((at + 1) * levels.length) / count), from + 1);
    return Math.max(...levels.slice(from, to));
  });
}
