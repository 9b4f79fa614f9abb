// A voice message from the first word to sending it.

import { createSignal, Index, type JSX, Match, onCleanup, onMount, Switch } from "solid-js";
import { useChat } from "../state/chat";
import { texts } from "../texts";
import { Icon } from "../ui/Icon";
import { Blobs } from "./blobs";
import { player } from "./player";
import { LONGEST_MS, NoRecording, record, type Recorded, type Recording, SHORTEST_MS } from "./recording";
import { timeInWords } from "./sizes";
import { Voice } from "./Voice";

/** Levels that are in sight while it is recorded. */
const IN_SIGHT = 40;

export default function Recorder(props: { onSend: (recorded: Recorded) => void; onClose: () => void }): JSX.Element {
  const chat = useChat();
  const [levels, setLevels] = createSignal<readonly number[]>([]);
  const [ms, setMs] = createSignal(0);
  const [phase, setPhase] = createSignal<"asking" | "recording" | "recorded">("asking");
  const [problem, setProblem] = createSignal("");
  const [recorded, setRecorded] = createSignal<Recorded>();
  const blobs = new Blobs(0);
  let recording: Recording | undefined;
  let isOver = false;
  let bar!: HTMLDivElement;
  onCleanup(() => {
    isOver = true;
    recording?.cancel();
    if (player.current() === "recording") player.stop();
    blobs.clear();
  });
  onMount(() => void begin());

  async function begin(): Promise<void> {
    try {
      recording = await record({
        level: (level, at) => {
          setLevels((before) => [...before, level].slice(-IN_SIGHT));
          setMs(at);
        },
        ended: () => {
          if (ms() >= LONGEST_MS) chat.tell(texts.longestRecording);
          void stop();
        },
      });
      if (isOver) return recording.cancel();
      player.pause();
      setPhase("recording");
      bar.querySelector<HTMLElement>("[data-stop]")?.focus();
    } catch (error) {
      if (!(error instanceof NoRecording)) throw error;
      setProblem(error.message);
      bar.querySelector<HTMLElement>("[data-drop]")?.focus();
    }
  }

  async function stop(): Promise<Recorded | undefined> {
    if (phase() !== "recording" || !recording) return recorded();
    setPhase("recorded");
    const made = await recording.stop();
    if (isOver) return undefined;
    if (made.duration < SHORTEST_MS || made.blob.size === 0) {
      chat.tell(made.blob.size === 0 ? texts.recordingFailed : texts.tooShortRecording);
      props.onClose();
      return undefined;
    }
    setRecorded(made);
    bar.querySelector<HTMLElement>("[data-send]")?.focus();
    return made;
  }

  async function send(): Promise<void> {
    const made = await stop();
    if (made) props.onSend(made);
  }

  const keyed = (event: KeyboardEvent): void => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    props.onClose();
  };
  return (
    <div class="line recorder" ref={bar} role="group" aria-label={texts.record} onKeyDown={keyed}>
      <button type="button" class="plain" data-drop onClick={() => props.onClose()} aria-label={texts.dropRecording} title={texts.dropRecording}><Icon name={problem() ? "close" : "trash"} /></button>
      <Switch>
        <Match when={problem()}><p class="problem" role="alert">{problem()}</p></Match>
        <Match when={phase() === "asking"}><p class="quiet" role="status">{texts.askingMicrophone}</p></Match>
        <Match when={phase() === "recording"}>
          <p class="heard" role="status">{texts.recording}</p>
          <span class="levels" aria-hidden="true"><Index each={levels()}>{(level) => <i style={{ height: `${Math.max(level(), 6)}%` }} />}</Index></span>
          <span class="time" role="timer" aria-label={texts.recordingAt(timeInWords(ms()))}>{timeInWords(ms())}</span>
          <button type="button" class="round" data-stop onClick={() => void stop()} aria-label={texts.stopRecording} title={texts.stopRecording}><Icon name="stop" /></button>
        </Match>
        <Match when={recorded()}>
          {(made) => <Voice id="recording" duration={made().duration} waveform={made().waveform} hold={() => blobs.hold("recording", async () => made().blob)} />}
        </Match>
      </Switch>
      <button type="button" class="send" data-send disabled={phase() === "asking" || problem() !== ""} onClick={() => void send()} aria-label={texts.sendRecording} title={texts.sendRecording}><Icon name="send" /></button>
    </div>
  );
}
