// A file that is saved, or played by what the browser has for it.

import { createSignal, type JSX, Match, onCleanup, Show, Switch } from "solid-js";
import { useChat } from "../state/chat";
import type { Attachment } from "../state/wire";
import { texts } from "../texts";
import { Icon, type IconName } from "../ui/Icon";
import { isGone } from "./shown";
import { bytesInWords } from "./sizes";

export const ICONS: Record<string, IconName> = { audio: "sound", video: "film", picture: "picture", voice: "microphone" };

export function FileCard(props: { file: Attachment }): JSX.Element {
  const chat = useChat();
  const [isOpen, setOpen] = createSignal(false);
  const [gone, setGone] = createSignal(false);
  const failed = (error: unknown): void => {
    if (isGone(error)) setGone(true);
    else chat.tell(error);
  };
  const isPlayable = (): boolean => /^(?:audio|video)\//.test(props.file.type) && (props.file.kind === "audio" || props.file.kind === "video");
  return (
    <div class="file" classList={{ gone: gone() }}>
      <span class="kind"><Icon name={ICONS[props.file.kind] ?? "file"} /></span>
      <span class="what">
        <bdi class="name" title={props.file.name}>{props.file.name}</bdi>
        <span class="size">{gone() ? texts.goneFile : bytesInWords(props.file.size)}</span>
      </span>
      <Show when={!gone()}>
        <Show when={isPlayable() && !isOpen()}>
          <button type="button" class="plain" onClick={() => setOpen(true)} aria-label={texts.play(props.file.name)} title={texts.play(props.file.name)}><Icon name="play" /></button>
        </Show>
        <button type="button" class="plain" onClick={() => void save(chat, props.file).catch(failed)} aria-label={texts.download(props.file.name)} title={texts.download(props.file.name)}><Icon name="save" /></button>
      </Show>
      <Show when={isOpen() && !gone()}><Player file={props.file} onFailed={failed} /></Show>
    </div>
  );
}

/** Lets the browser save a file; its own name goes along with it. */
export async function save(chat: ReturnType<typeof useChat>, file: Pick<Attachment, "id" | "name">): Promise<void> {
  const { url } = await chat.client.media.link(file.id);
  const link = document.createElement("a");
  link.href = url;
  link.download = file.name;
  link.click();
}

/** The browser's own controls. A link ends after some minutes: a longer film goes on with a new one. */
function Player(props: { file: Attachment; onFailed: (error: unknown) => void }): JSX.Element {
  const chat = useChat();
  const [address, setAddress] = createSignal<string>();
  let isOver = false;
  let linkedAt = 0;
  let place = 0;
  onCleanup(() => {
    isOver = true;
  });
  const link = async (): Promise<void> => {
    linkedAt = Date.now();
    try {
      const { url } = await chat.client.media.link(props.file.id);
      if (!isOver) setAddress(url);
    } catch (error) {
      if (!isOver) props.onFailed(error);
    }
  };
  void link();
  const broken = (element: HTMLMediaElement): void => {
    if (Date.now() - linkedAt < 60_000) return chat.tell(texts.notLoaded);
    place = element.currentTime;
    void link();
  };
  const shared = {
    controls: true,
    autoplay: true,
    preload: "metadata" as const,
    onError: (event: Event) => broken(event.currentTarget as HTMLMediaElement),
    onLoadedMetadata: (event: Event) => {
      if (place > 0) (event.currentTarget as HTMLMediaElement).currentTime = place;
    },
  };
  return (
    <Switch>
      <Match when={props.file.kind === "video"}><video class="player" src={address()} aria-label={texts.playerOf(props.file.name)} {...shared} /></Match>
      <Match when={true}><audio class="player" src={address()} aria-label={texts.playerOf(props.file.name)} {...shared} /></Match>
    </Switch>
  );
}
