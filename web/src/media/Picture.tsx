// A picture among messages: its place is there before it is, in its colours.

import { type JSX, Match, onMount, Show, Switch } from "solid-js";
import { useChat } from "../state/chat";
import type { Attachment } from "../state/wire";
import { texts } from "../texts";
import { Icon } from "../ui/Icon";
import type { Held } from "./blobs";
import { pixelsOf } from "./blurhash";
import { asPicture, useShown } from "./shown";
import { boxOf } from "./sizes";

const GROUND = 32;

/** The picture as it is shown among messages. */
export function holdSmall(chat: ReturnType<typeof useChat>, picture: Attachment): Held {
  const { media } = chat.client;
  return chat.blobs.hold(`${picture.id} small`, async (signal) =>
    asPicture(await (picture.thumbnail ? media.thumbnail(picture.id, signal) : media.content(picture, signal))));
}

export function Picture(props: { picture: Attachment; isTile: boolean; onOpen: () => void }): JSX.Element {
  const chat = useChat();
  const { shown, retry } = useShown(() => props.picture.id, () => holdSmall(chat, props.picture));
  const box = boxOf(props.picture.width, props.picture.height);
  const address = (): string | undefined => {
    const now = shown();
    return now.state === "here" ? now.address : undefined;
  };
  return (
    <button
      type="button"
      class="picture"
      classList={{ tile: props.isTile }}
      style={props.isTile ? {} : { width: `${box.width}px`, "aspect-ratio": `${box.width} / ${box.height}` }}
      aria-label={texts.showPicture(props.picture.name)}
      disabled={shown().state === "gone"}
      onClick={() => (shown().state === "failed" ? retry() : props.onOpen())}
    >
      <Show when={props.picture.blurhash}>{(hash) => <Ground hash={hash()} />}</Show>
      <Switch>
        <Match when={address()}>{(source) => <img src={source()} alt={props.picture.name} draggable="false" />}</Match>
        <Match when={shown().state === "gone"}><span class="missing"><Icon name="picture" />{texts.gonePicture}</span></Match>
        <Match when={shown().state === "failed"}><span class="missing"><Icon name="warning" />{texts.notLoaded} {texts.retry}</span></Match>
      </Switch>
    </button>
  );
}

/** Its colours. */
export function Ground(props: { hash: string }): JSX.Element {
  let canvas!: HTMLCanvasElement;
  onMount(() => {
    const pixels = pixelsOf(props.hash, GROUND, GROUND);
    if (pixels) canvas.getContext("2d")?.putImageData(new ImageData(pixels, GROUND, GROUND), 0, 0);
  });
  return <canvas ref={canvas} width={GROUND} height={GROUND} aria-hidden="true" />;
}
