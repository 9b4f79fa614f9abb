// What a message carries, in sight.

import { For, type JSX, Show } from "solid-js";
import type { Conversation } from "../room/conversation";
import { useChat } from "../state/chat";
import type { Attachment, Message } from "../state/wire";
import { FileCard } from "./FileCard";
import { Picture } from "./Picture";
import { Voice } from "./Voice";

export function Attachments(props: { message: Message; conversation: Conversation }): JSX.Element {
  const chat = useChat();
  const { seq } = props.message;
  const isGone = (): boolean => props.conversation.message(seq)?.deleted ?? false;
  const all = (): readonly Attachment[] => props.message.attachments ?? [];
  const pictures = (): readonly Attachment[] => all().filter(({ kind }) => kind === "picture");
  const others = (): readonly Attachment[] => all().filter(({ kind }) => kind !== "picture");
  return (
    <div class="carried">
      <Show when={pictures().length > 0}>
        <div class="pictures" classList={{ several: pictures().length > 1 }}>
          <For each={pictures()}>
            {(picture) => <Picture picture={picture} isTile={pictures().length > 1} onOpen={() => props.conversation.setViewing({ seq: props.message.seq, id: picture.id })} />}
          </For>
        </div>
      </Show>
      <For each={others()}>
        {(file) => (
          <Show when={file.kind === "voice"} fallback={<FileCard file={file} />}>
            <Voice
              id={file.id}
              duration={file.duration_ms ?? 0}
              waveform={file.waveform ?? []}
              isGone={isGone}
              hold={() => chat.blobs.hold(file.id, (signal) => chat.client.media.content(file, signal))}
            />
          </Show>
        )}
      </For>
    </div>
  );
}
