// A window over everything else; the browser keeps the focus inside and Escape closes it.

import { createUniqueId, type JSX, onCleanup, onMount } from "solid-js";
import { Portal } from "solid-js/web";
import { texts } from "../texts";
import { Icon } from "./Icon";

export function Dialog(props: { title: string; onClose: () => void; small?: boolean; children: JSX.Element }): JSX.Element {
  const id = createUniqueId();
  let dialog!: HTMLDialogElement;
  const before = document.activeElement as HTMLElement | null;
  onMount(() => dialog.showModal());
  onCleanup(() => {
    dialog.close();
    before?.focus({ preventScroll: true });
  });
  return (
    <Portal>
      <dialog
        ref={dialog}
        classList={{ small: props.small ?? false }}
        aria-labelledby={id}
        onCancel={(event) => {
          event.preventDefault();
          props.onClose();
        }}
        onClick={(event) => event.target === dialog && props.onClose()}
      >
        <div class="dialog">
          <header>
            <h2 id={id}>{props.title}</h2>
            <button class="plain" onClick={() => props.onClose()} aria-label={texts.close} title={texts.close}><Icon name="close" /></button>
          </header>
          {props.children}
        </div>
      </dialog>
    </Portal>
  );
}
