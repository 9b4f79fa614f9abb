// A voice message: a button, its waveform as a slider, its time.

import { createMemo, createUniqueId, type JSX, onCleanup } from "solid-js";
import { useChat } from "../state/chat";
import { texts } from "../texts";
import { Icon } from "../ui/Icon";
import type { Held } from "./blobs";
import { player } from "./player";
import { isGone as isGoneBy } from "./shown";
import { barsOf, timeInWords } from "./sizes";

const BARS = 48;
/** The longest step of the arrow keys. */
const STEP_MS = 2_000;

export function Voice(props: { id: string; duration: number; waveform: readonly number[]; hold: () => Held; isGone?: () => boolean }): JSX.Element {
  const chat = useChat();
  const clip = createUniqueId();
  const isMine = (): boolean => player.current() === props.id;
  const place = (): number => (isMine() ? Math.min(player.place(), props.duration) : 0);
  const isPlaying = (): boolean => isMine() && player.isPlaying();
  const shape = createMemo(() => pathOf(barsOf(props.waveform, BARS)));
  const part = (): number => (props.duration > 0 ? place() / props.duration : 0);
  const failed = (error: unknown): void => {
    // Another one was started, or this one was stopped.
    if (isMine() || isGoneBy(error)) chat.tell(isGoneBy(error) ? texts.goneFile : texts.notLoaded);
  };
  const play = (from?: number): void => void player.play(props.id, props.hold, from).catch(failed);
  const toggle = (): void => (isPlaying() ? player.pause() : play());
  const moved = (ms: number): void => (isMine() ? player.seek(ms) : play(ms));
  const isGone = props.isGone;
  onCleanup(() => {
    // What is scrolled out of sight plays on; what was deleted does not.
    if (isMine() && (!player.isPlaying() || isGone?.())) player.stop();
  });
  return (
    <div class="voice" role="group" aria-label={texts.voiceMessage}>
      <button type="button" class="round" onClick={toggle} aria-label={isPlaying() ? texts.pauseVoice : texts.playVoice}>
        <Icon name={isPlaying() ? "pause" : "play"} />
      </button>
      <span class="wave">
        <svg viewBox={`0 0 ${BARS * 4} 32`} preserveAspectRatio="none" aria-hidden="true">
          <clipPath id={clip}><rect x="0" y="0" height="32" width={part() * BARS * 4} /></clipPath>
          <path d={shape()} />
          <path class="heard-part" d={shape()} clip-path={`url(#${clip})`} />
        </svg>
        <input
          type="range"
          min="0"
          max={Math.max(props.duration, 1)}
          step={Math.min(STEP_MS, Math.max(Math.round(props.duration / 40), 1))}
          value={place()}
          aria-label={texts.placeInVoice}
          aria-valuetext={texts.placeOf(timeInWords(place()), timeInWords(props.duration))}
          onInput={(event) => moved(Number(event.currentTarget.value))}
        />
      </span>
      <span class="time">{timeInWords(isMine() && place() > 0 ? place() : props.duration)}</span>
    </div>
  );
}

/** Bars around the middle; silence is a dot. */
function pathOf(bars: readonly number[]): string {
  const all = bars.length > 0 ? bars : Array.from({ length: BARS }, () => 0);
  return all.map((bar, at) => {
    const half = Math.max((Math.min(bar, 100) / 100) * 14, 1);
    return `M${at * 4 + 1.5} ${(16 - half).toFixed(1)}v${(half * 2).toFixed(1)}`;
  }).join("");
}
