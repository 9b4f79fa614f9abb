// One picture over everything else, and the way to the others of the conversation.

import { createMemo, type JSX, Match, onCleanup, onMount, Show, Switch } from "solid-js";
import { Portal } from "solid-js/web";
import { find, type Conversation } from "../room/conversation";
import { useChat } from "../state/chat";
import type { Attachment, Message, Seq } from "../state/wire";
import { texts } from "../texts";
import { Icon } from "../ui/Icon";
import { save } from "./FileCard";
import { holdSmall } from "./Picture";
import { asPicture, useShown } from "./shown";

interface Place {
  seq: Seq;
  picture: Attachment;
}

export default function Viewer(props: { conversation: Conversation }): JSX.Element {
  const chat = useChat();
  const { conversation } = props;
  let dialog!: HTMLDialogElement;
  const before = document.activeElement as HTMLElement | null;
  const close = (): void => conversation.setViewing(undefined);
  onMount(() => dialog.showModal());
  onCleanup(() => {
    dialog.close();
    before?.focus({ preventScroll: true });
  });
  const all = createMemo(() => picturesOf(conversation.view().messages));
  const at = (): number => all().findIndex(({ picture }) => picture.id === conversation.viewing()?.id);
  // What was deleted meanwhile is not shown any more.
  const place = createMemo((): Place | undefined => all()[at()]);
  const go = async (by: number): Promise<void> => {
    const here = at();
    let next = here < 0 ? undefined : all()[here + by];
    if (!next && by < 0 && here === 0 && conversation.view().hasOlder) {
      await conversation.timeline.loadOlder(100).catch(chat.tell);
      // The view follows a frame later.
      const now = picturesOf(conversation.timeline.messages);
      next = now[now.findIndex(({ picture }) => picture.id === conversation.viewing()?.id) - 1];
    }
    if (next) conversation.setViewing({ seq: next.seq, id: next.picture.id });
  };
  const keyed = (event: KeyboardEvent): void => {
    const by = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
    if (by === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    void go(by);
  };
  return (
    <Portal>
      <dialog
        ref={dialog}
        class="viewer"
        aria-label={place()?.picture.name ?? texts.picture}
        onKeyDown={keyed}
        onCancel={(event) => {
          event.preventDefault();
          close();
        }}
        onClick={(event) => (event.target as HTMLElement).matches(".viewer, .stage") && close()}
      >
        <header>
          <p>
            <bdi>{place()?.picture.name}</bdi>
            <span class="quiet" role="status">{words()}</span>
          </p>
          <Show when={place()}>
            {(here) => <button class="plain" onClick={() => void save(chat, here().picture).catch(chat.tell)} aria-label={texts.download(here().picture.name)} title={texts.download(here().picture.name)}><Icon name="save" /></button>}
          </Show>
          <button class="plain" autofocus onClick={close} aria-label={texts.close} title={texts.close}><Icon name="close" /></button>
        </header>
        <div class="stage">
          <button class="plain step" disabled={at() <= 0 && !conversation.view().hasOlder} onClick={() => void go(-1)} aria-label={texts.previousPicture} title={texts.previousPicture}><Icon name="back" /></button>
          <Show when={place()?.picture} keyed fallback={<p class="missing">{texts.gonePicture}</p>}>{(picture) => <Large picture={picture} />}</Show>
          <button class="plain step" disabled={at() < 0 || at() >= all().length - 1} onClick={() => void go(1)} aria-label={texts.nextPicture} title={texts.nextPicture}><Icon name="next" /></button>
        </div>
      </dialog>
    </Portal>
  );

  function words(): string {
    const message = find(conversation.view().messages, place()?.seq ?? 0);
    if (!message) return "";
    const author = message.from === chat.client.user ? texts.you : chat.people.name(message.from);
    return `${texts.pictureOf(at() + 1, all().length)}, ${author}`;
  }
}

function picturesOf(messages: readonly Message[]): Place[] {
  return messages.flatMap(({ seq, attachments }) => (attachments ?? []).filter(({ kind }) => kind === "picture").map((picture) => ({ seq, picture })));
}

/** The small one at once, and the large one in its place when it is there. */
function Large(props: { picture: Attachment }): JSX.Element {
  const chat = useChat();
  const { picture } = props;
  const small = useShown(() => picture.id, () => holdSmall(chat, picture)).shown;
  const { shown, retry } = useShown(() => picture.id, () =>
    chat.blobs.hold(`${picture.id} large`, async (signal) => asPicture(await chat.client.media.content(picture, signal))));
  const address = createMemo((): string | undefined => {
    const [large, little] = [shown(), small()];
    return large.state === "here" ? large.address : little.state === "here" ? little.address : undefined;
  });
  return (
    <Switch fallback={<p class="missing" role="status">{texts.loadingPicture}</p>}>
      <Match when={shown().state === "gone"}><p class="missing" role="alert">{texts.gonePicture}</p></Match>
      <Match when={shown().state === "failed"}><p class="missing" role="alert">{texts.notLoaded} <button onClick={retry}>{texts.retry}</button></p></Match>
      <Match when={address()}>
        {(source) => <img src={source()} alt={picture.name} width={picture.width ?? undefined} height={picture.height ?? undefined} aria-busy={shown().state === "loading"} />}
      </Match>
    </Switch>
  );
}
