// What a message of one's own carries while it is on its way.

import { createEffect, createMemo, For, type JSX, onCleanup, Show } from "solid-js";
import { useChat } from "../state/chat";
import type { Outgoing, OutgoingFile } from "../state/wire";
import { texts } from "../texts";
import { Icon } from "../ui/Icon";
import { ICONS } from "./FileCard";
import { bytesInWords } from "./sizes";

export function Sending(props: { outgoing: Outgoing }): JSX.Element {
  const chat = useChat();
  // Keyed by what they are: their objects are new whenever a byte has gone.
  const keys = createMemo(() => (props.outgoing.attachments ?? []).map(({ key }) => key).join(" "));
  const list = (): string[] => keys().split(" ").filter(Boolean);
  const file = (key: string): OutgoingFile | undefined => props.outgoing.attachments?.find((one) => one.key === key);
  const isPending = (): boolean => props.outgoing.state === "pending";
  const isUnkept = (): boolean => isPending() && (props.outgoing.attachments ?? []).some(({ kept, state }) => !kept && state !== "ready" && state !== "lost");
  return (
    <div class="carried">
      <For each={list()}>{(key) => <Show when={file(key)}>{(one) => <Part file={one()} isPending={isPending()} />}</Show>}</For>
      <Show when={isUnkept()}><p class="unkept">{texts.notKept}</p></Show>
      <Show when={isPending()}>
        <button type="button" class="link" onClick={() => void chat.client.discard(props.outgoing.client_id).catch(chat.tell)}>{texts.cancelUpload}</button>
      </Show>
    </div>
  );
}

function Part(props: { file: OutgoingFile; isPending: boolean }): JSX.Element {
  const icon = (): keyof typeof ICONS | "" => (props.file.voice ? "voice" : (/^(audio|video)\//.exec(props.file.type)?.[1] ?? ""));
  return (
    <div class="file">
      <Show when={previewable(props.file.source)} fallback={<span class="kind"><Icon name={ICONS[icon()] ?? "file"} /></span>} keyed>
        {(blob) => <Preview blob={blob} />}
      </Show>
      <span class="what">
        <bdi class="name" title={props.file.name}>{props.file.voice ? texts.voiceMessage : props.file.name}</bdi>
        <span class="size">{props.file.state === "lost" ? texts.lostFile : bytesInWords(props.file.size)}</span>
        <Show when={props.isPending}>
          <Progress name={props.file.name} sent={props.file.sent} size={props.file.size} />
        </Show>
      </span>
    </div>
  );
}

/** Until the first part is there nobody knows how fast it goes. */
function Progress(props: { name: string; sent: number; size: number }): JSX.Element {
  let bar!: HTMLProgressElement;
  createEffect(() => {
    if (props.sent > 0) bar.value = props.sent;
    else bar.removeAttribute("value");
  });
  return <progress ref={bar} aria-label={texts.uploading(props.name)} max={Math.max(props.size, 1)} />;
}

const SHOWN = /^image\/(?:jpeg|png|gif|webp)$/;

/** A picture of this machine that a browser can show. */
export function previewable(source: unknown): Blob | undefined {
  return source instanceof Blob && SHOWN.test(source.type) ? source : undefined;
}

export function Preview(props: { blob: Blob }): JSX.Element {
  const address = URL.createObjectURL(props.blob);
  onCleanup(() => URL.revokeObjectURL(address));
  return <img class="preview" src={address} alt="" draggable="false" />;
}
