// One room: everything but what is said in it, and what an operator can do about it.

import type { Admin } from "@rookery/client";
import { createSignal, For, type JSX, Show } from "solid-js";
import { createLoaded } from "../state/loaded";
import { type Operator, useOperator } from "../state/operator";
import { go, linkTo } from "../state/place";
import { momentOf, numberOf, words } from "../texts";
import { Awaited, Fact, Mark, Table } from "../ui/Parts";
import { RoomState } from "./Rooms";

type Place = Admin.AdminRoom;

const pathOf = (room: Place, more = ""): string => `/rooms/${room.id}${more}`;
/** A direct room has no name: its id stands for it. */
const nameOf = (room: Place): string => room.name.trim() || room.id;

function setArchived({ ask, server }: Operator, room: Place, archived: boolean): void {
  const name = nameOf(room);
  const run = async (): Promise<string> => {
    await server.change("PATCH", pathOf(room), { archived });
    return archived ? words.archived(name) : words.opened(name);
  };
  if (archived) ask({ title: words.archiveTitle(name), says: words.archiveSays(room.members), yes: words.archive, isGrave: true, run });
  else ask({ title: words.openTitle(name), says: words.openSays, yes: words.open, run });
}

function release({ ask, server }: Operator, room: Place): void {
  ask({
    title: words.releaseTitle(nameOf(room)),
    says: words.releaseSays,
    yes: words.release,
    run: async () => {
      await server.change("PATCH", pathOf(room), { quarantined: false });
      return words.released(nameOf(room));
    },
  });
}

function announce({ ask, server }: Operator, room: Place): void {
  ask({
    title: words.announceTitle(nameOf(room)),
    says: words.announceSays(room.members),
    yes: words.announce,
    wanted: { label: words.announcement, isLong: true },
    run: async (text) => {
      const { seq } = await server.change<Admin.Announced>("POST", pathOf(room, "/announce"), { text });
      return words.announced(seq);
    },
  });
}

function remove({ ask, server }: Operator, room: Place): void {
  ask({
    title: words.removeTitle(nameOf(room)),
    says: words.removeSays(room.members, room.head),
    yes: words.remove,
    isGrave: true,
    typed: nameOf(room),
    run: async () => {
      await server.change("DELETE", pathOf(room));
      go("rooms");
      return words.removed(nameOf(room));
    },
  });
}

export function Room(props: { id: string }): JSX.Element {
  const operator = useOperator();
  const room = createLoaded(() => [props.id, operator.live.looks()], () => operator.server.get<Place>(`/rooms/${encodeURIComponent(props.id)}`));
  return (
    <>
      <p><a href={linkTo("rooms")}>{words.back}</a></p>
      <Awaited of={room}>
        {(present) => (
          <>
            <h1><bdi>{present().name || words.unnamed}</bdi></h1>
            <dl class="facts">
              <Fact name={words.state}><RoomState of={present()} /></Fact>
              <Fact name={words.head}>{numberOf(present().head)}</Fact>
              <Fact name={words.epoch}>{numberOf(present().epoch)}</Fact>
              <Fact name={words.owner}><bdi>{present().owner ?? words.unknown}</bdi></Fact>
              <Fact name={words.members}>{numberOf(present().members)}</Fact>
              <Fact name={words.queue}>{numberOf(present().queue)}</Fact>
              <Fact name={words.interest}>{numberOf(present().interest)}</Fact>
              <Fact name={words.shard}><a href={linkTo("shards", present().shard)}>{present().shard}</a></Fact>
              <Fact name={words.kind}>{words.kinds[present().kind] ?? present().kind}</Fact>
              <Fact name={words.visibility}>{words.visibilities[present().visibility] ?? present().visibility}</Fact>
              <Fact name={words.made}>{momentOf(present().created_at)}</Fact>
              <Fact name={words.id}><code>{present().id}</code></Fact>
            </dl>
            <div class="deeds" role="group" aria-label={words.actions}>
              <Show when={present().quarantined}><button onClick={() => release(operator, present())}>{words.release}</button></Show>
              <button onClick={() => announce(operator, present())}>{words.announce}</button>
              <button onClick={() => setArchived(operator, present(), !present().archived)}>{present().archived ? words.open : words.archive}</button>
              <button class="alarm" onClick={() => remove(operator, present())}>{words.remove}</button>
            </div>
            <Digests of={present().id} />
          </>
        )}
      </Awaited>
    </>
  );
}

/** It costs the whole log, so that it is read when somebody asks. */
function Digests(props: { of: string }): JSX.Element {
  const [asked, setAsked] = createSignal(false);
  return (
    <section aria-labelledby="digests">
      <h2 id="digests">{words.digest}</h2>
      <p class="quiet small">{words.digestHint}</p>
      <Show when={asked()} fallback={<p><button onClick={() => setAsked(true)}>{words.readDigest}</button></p>}>
        <Read of={props.of} />
      </Show>
    </section>
  );
}

function Read(props: { of: string }): JSX.Element {
  const { server } = useOperator();
  const digest = createLoaded(() => props.of, () => server.get<Admin.RoomDigest>(`/rooms/${props.of}/digest`));
  const verdict = (nodes: readonly Admin.NodeDigest[]): JSX.Element => {
    const byHead = new Map<number, Set<string>>();
    for (const { head, digest: seen } of nodes) byHead.set(head, (byHead.get(head) ?? new Set()).add(seen));
    if ([...byHead.values()].some((seen) => seen.size > 1)) return <Mark mood="alarm">{words.digestDiffers}</Mark>;
    return byHead.size > 1 ? <Mark mood="warm">{words.digestBehind}</Mark> : <Mark mood="well">{words.digestSame}</Mark>;
  };
  return (
    <Awaited of={digest}>
      {(seen) => (
        <>
          <p role="status">{verdict(seen().nodes)}</p>
          <Table label={words.digest} head={words.digestHead}>
            <For each={seen().nodes}>{(node) => <tr><th scope="row"><bdi>{node.node}</bdi></th><td>{numberOf(node.epoch)}</td><td>{numberOf(node.head)}</td><td><code>{node.digest}</code></td></tr>}</For>
          </Table>
          <p class="rest"><button class="link" onClick={() => digest.again()}>{words.refresh}</button></p>
        </>
      )}
    </Awaited>
  );
}
