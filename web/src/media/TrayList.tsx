// The files that are to go with the next message, in sight.

import { For, type JSX, Show } from "solid-js";
import { texts } from "../texts";
import { Icon } from "../ui/Icon";
import { ICONS } from "./FileCard";
import { Preview, previewable } from "./Sending";
import { bytesInWords } from "./sizes";
import type { Chosen, Tray } from "./tray";

export function TrayList(props: { tray: Tray; onRemoved: () => void }): JSX.Element {
  const remove = (one: Chosen): void => {
    props.tray.remove(one.key);
    props.onRemoved();
  };
  return (
    <>
      <p class="heard" role="status">{props.tray.spoken()}</p>
      <Show when={props.tray.chosen().length > 0}>
        <ul class="tray" aria-label={texts.chosen}>
          <For each={props.tray.chosen()}>
            {(one) => (
              <li class="file">
                <Show when={previewable(one.file)} fallback={<span class="kind"><Icon name={ICONS[one.file.type.split("/")[0] ?? ""] ?? "file"} /></span>}>
                  {(blob) => <Preview blob={blob()} />}
                </Show>
                <span class="what">
                  <bdi class="name" title={one.name}>{one.name}</bdi>
                  <span class="size">{bytesInWords(one.file.size)}</span>
                </span>
                <button type="button" class="plain" onClick={() => remove(one)} aria-label={texts.removeFile(one.name)} title={texts.removeFile(one.name)}><Icon name="close" /></button>
              </li>
            )}
          </For>
        </ul>
      </Show>
    </>
  );
}
