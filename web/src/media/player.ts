// The one player of voice messages: who starts one stops the other.

import { createSignal } from "solid-js";
import type { Held } from "./blobs";

const [current, setCurrent] = createSignal<string>();
const [isPlaying, setPlaying] = createSignal(false);
const [place, setPlace] = createSignal(0);
let audio: HTMLAudioElement | undefined;
let held: Held | undefined;
/** Counts what was asked for, so that what comes late is not played over what came after it. */
let asked = 0;
/** Ends waiting for what will not come any more. */
let abandon: (() => void) | undefined;

/** Which one it is about; `isPlaying` and `place` (in milliseconds) are about that one. */
export const player = { current, isPlaying, place, play, pause, seek, stop };

function element(): HTMLAudioElement {
  if (audio) return audio;
  audio = new Audio();
  audio.addEventListener("timeupdate", () => audio && !Number.isNaN(audio.currentTime) && setPlace(audio.currentTime * 1_000));
  audio.addEventListener("play", () => setPlaying(true));
  audio.addEventListener("pause", () => setPlaying(false));
  audio.addEventListener("ended", () => {
    setPlaying(false);
    setPlace(0);
    if (audio) audio.currentTime = 0;
  });
  return audio;
}

/** Plays what is kept under a key, from where it was or from `from`. Rejects when it cannot be had or played. */
async function play(key: string, hold: () => Held, from?: number): Promise<void> {
  const own = element();
  if (current() !== key) {
    const turn = begin(key, hold, from ?? 0);
    if (!(await turn)) return;
  } else if (from !== undefined) {
    seek(from);
  }
  await own.play();
}

async function begin(key: string, hold: () => Held, from: number): Promise<boolean> {
  stop();
  const mine = (asked += 1);
  setCurrent(key);
  setPlace(from);
  held = hold();
  try {
    const address = await held.address;
    if (mine !== asked) return false;
    await loaded(element(), address);
    if (mine !== asked) return false;
    seek(from);
    return true;
  } catch (error) {
    if (mine === asked) stop();
    throw error;
  }
}

/** A recording that was made here does not say how long it is: a browser finds out by going to its end. */
async function loaded(own: HTMLAudioElement, address: string): Promise<void> {
  own.src = address;
  await happened(own, "loadedmetadata");
  if (own.duration !== Infinity) return;
  own.currentTime = 1e7;
  await happened(own, "seeked");
}

function happened(own: HTMLAudioElement, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const over = (): void => {
      own.removeEventListener(name, done);
      own.removeEventListener("error", failed);
      abandon = undefined;
    };
    const done = (): void => (over(), resolve());
    const failed = (): void => (over(), reject(new Error("the recording cannot be played")));
    own.addEventListener(name, done);
    own.addEventListener("error", failed);
    abandon = failed;
  });
}

function pause(): void {
  audio?.pause();
}

/** Only of the one that it is about. */
function seek(ms: number): void {
  setPlace(ms);
  if (audio && current() !== undefined) audio.currentTime = ms / 1_000;
}

function stop(): void {
  asked += 1;
  abandon?.();
  audio?.pause();
  audio?.removeAttribute("src");
  audio?.load();
  held?.release();
  held = undefined;
  setCurrent(undefined);
  setPlace(0);
}
