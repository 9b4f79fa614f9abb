// Recording what somebody says: the microphone, its level, and the waveform of what was said.

import { texts } from "../texts";
import { barsOf } from "./sizes";

export const LONGEST_MS = 15 * 60_000;
/** Clear speech, and small. */
const BITS_PER_SECOND = 32_000;
const TYPES = ["audio/webm;codecs=opus", "audio/ogg;codecs=opus", "audio/mp4;codecs=opus", "audio/mp4"] as const;
const ENDINGS: Record<string, string> = { "audio/webm": "webm", "audio/ogg": "ogg", "audio/mp4": "m4a" };
/** Numbers of a waveform that is sent. */
const WAVEFORM = 96;
/** So often the level is looked at. */
const LOOK_MS = 50;
/** Shorter ones were a finger that slipped. */
export const SHORTEST_MS = 400;

export interface Recorded {
  name: string;
  blob: Blob;
  duration: number;
  waveform: number[];
}

/** Why there is no recording, in words. */
export class NoRecording extends Error {}

export interface Recording {
  /** Ends it; kept with what was recorded. */
  stop(): Promise<Recorded>;
  /** Ends it, and forgets. */
  cancel(): void;
}

interface Listener {
  /** How loud it is, 0 to 100, and for how long it has been recorded. */
  level(level: number, ms: number): void;
  /** It ended by itself: it is as long as may be, or the microphone is gone. */
  ended(): void;
}

/** Asks for the microphone and begins. Rejects with a `NoRecording`. */
export async function record(listener: Listener): Promise<Recording> {
  const devices = navigator.mediaDevices as MediaDevices | undefined;
  if (!devices?.getUserMedia || typeof MediaRecorder === "undefined") throw new NoRecording(texts.microphoneNotHere);
  let stream: MediaStream;
  try {
    stream = await devices.getUserMedia({ audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true } });
  } catch (error) {
    const name = error instanceof DOMException ? error.name : "";
    const isMissing = name === "NotFoundError" || name === "OverconstrainedError" || name === "NotReadableError";
    throw new NoRecording(isMissing ? texts.noMicrophone : texts.microphoneRefused, { cause: error });
  }
  return new Tape(stream, listener);
}

class Tape implements Recording {
  readonly #stream: MediaStream;
  readonly #recorder: MediaRecorder;
  readonly #context = new AudioContext();
  readonly #chunks: Blob[] = [];
  readonly #levels: number[] = [];
  readonly #began = performance.now();
  readonly #looking: ReturnType<typeof setInterval>;
  readonly #whole: Promise<void>;
  #duration = 0;

  constructor(stream: MediaStream, listener: Listener) {
    this.#stream = stream;
    const type = TYPES.find((one) => MediaRecorder.isTypeSupported(one));
    this.#recorder = new MediaRecorder(stream, { audioBitsPerSecond: BITS_PER_SECOND, ...(type ? { mimeType: type } : {}) });
    this.#recorder.ondataavailable = ({ data }) => data.size > 0 && this.#chunks.push(data);
    this.#whole = new Promise((resolve) => {
      this.#recorder.onstop = () => resolve();
    });
    for (const track of stream.getTracks()) track.onended = () => listener.ended();
    const analyser = this.#context.createAnalyser();
    analyser.fftSize = 2_048;
    this.#context.createMediaStreamSource(stream).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    this.#looking = setInterval(() => {
      analyser.getFloatTimeDomainData(samples);
      const level = loudness(samples);
      const ms = performance.now() - this.#began;
      // A page that is not looked at looks less often: each level stands where it was heard.
      while (this.#levels.length < ms / LOOK_MS) this.#levels.push(level);
      listener.level(level, ms);
      if (ms >= LONGEST_MS) listener.ended();
    }, LOOK_MS);
    // What is there is kept as it comes, so that a recorder that fails has lost a second.
    this.#recorder.start(1_000);
  }

  async stop(): Promise<Recorded> {
    this.#end();
    await this.#whole;
    const [type = "audio/webm"] = this.#recorder.mimeType.split(";");
    const loudest = Math.max(...this.#levels, 1);
    const waveform = barsOf(this.#levels, Math.min(WAVEFORM, this.#levels.length)).map((level) => Math.round((level / loudest) * 100));
    return { name: `voice.${ENDINGS[type] ?? "webm"}`, blob: new Blob(this.#chunks, { type }), duration: Math.round(this.#duration), waveform };
  }

  cancel(): void {
    this.#end();
    this.#chunks.length = 0;
  }

  #end(): void {
    if (this.#duration > 0) return;
    this.#duration = Math.min(performance.now() - this.#began, LONGEST_MS);
    clearInterval(this.#looking);
    if (this.#recorder.state !== "inactive") this.#recorder.stop();
    for (const track of this.#stream.getTracks()) {
      track.onended = null;
      track.stop();
    }
    void this.#context.close();
  }
}

/** From silence to as loud as can be, as ears hear it: 60 decibels on 100 steps. */
function loudness(samples: Float32Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  const decibels = 10 * Math.log10(sum / samples.length + 1e-10);
  return Math.round(Math.min(Math.max((decibels + 60) / 60, 0), 1) * 100);
}
