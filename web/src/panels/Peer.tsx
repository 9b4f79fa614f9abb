// The other one of a direct conversation: who they are, and whether they may write.

import { createResource, type JSX, Show } from "solid-js";
import { useChat } from "../state/chat";
import { nameOf } from "../state/people";
import { RookeryError, type User } from "../state/wire";
import { texts } from "../texts";
import { Avatar } from "../ui/Avatar";

export function Peer(props: { user: User | undefined }): JSX.Element {
  const chat = useChat();
  const [isBlocked, { mutate }] = createResource(() => props.user?.id, async (user) => {
    try {
      await chat.client.rest.block(user);
      return true;
    } catch (error) {
      if (error instanceof RookeryError && error.code === "not_found") return false;
      throw error;
    }
  });
  const toggle = async (user: User): Promise<void> => {
    const isToBe = !isBlocked();
    try {
      await (isToBe ? chat.client.rest.addBlock(user.id) : chat.client.rest.removeBlock(user.id));
      mutate(isToBe);
    } catch (error) {
      chat.tell(error);
    }
  };
  return (
    <Show when={props.user}>
      {(user) => (
        <div class="person">
          <Avatar id={user().id} name={nameOf(user())} />
          <span class="words">
            <b><bdi>{nameOf(user())}</bdi></b>
            <span class="quiet">@{user().handle}</span>
            <Show when={user().about}><span dir="auto">{user().about}</span></Show>
          </span>
          <Show when={isBlocked.state === "ready"}>
            <button onClick={() => void toggle(user())}>{isBlocked() ? texts.unblock : texts.block}</button>
          </Show>
        </div>
      )}
    </Show>
  );
}
