// Finding rooms.

import type { Admin } from "@rookery/client";
import { createSignal, For, type JSX } from "solid-js";
import { createList } from "../state/loaded";
import { linkTo } from "../state/place";
import { numberOf, words } from "../texts";
import { Awaited, Mark, Rest, Search, Table } from "../ui/Parts";

export function RoomState(props: { of: Admin.AdminRoom }): JSX.Element {
  return (
    <>
      {props.of.quarantined && <Mark mood="alarm">{words.roomStates.quarantined}</Mark>} {props.of.archived && <Mark mood="warm">{words.roomStates.archived}</Mark>}{" "}
      <Mark mood={props.of.awake ? "well" : "quiet"}>{props.of.awake ? words.roomStates.awake : words.roomStates.asleep}</Mark>
    </>
  );
}

export function Rooms(): JSX.Element {
  const [query, setQuery] = createSignal("");
  const list = createList<Admin.AdminRoom>(() => "/rooms", () => ({ query: query().trim() }));
  return (
    <>
      <h1>{words.pages.rooms}</h1>
      <div class="filters"><Search label={words.findRooms} value={query()} onInput={setQuery} /></div>
      <Awaited of={list}>
        {(rooms) => (
          <>
            <Table label={words.pages.rooms} head={[words.room, words.kind, words.state, words.members, words.head, words.owner, words.epoch, words.queue, words.interest]}>
              <For each={rooms()}>{(room) => (
                <tr data-room={room.id}>
                  <th scope="row" class="long"><a href={linkTo("rooms", room.id)}><bdi>{room.name || words.unnamed}</bdi></a></th>
                  <td>{words.kinds[room.kind] ?? room.kind}</td>
                  <td><RoomState of={room} /></td>
                  <td>{numberOf(room.members)}</td>
                  <td>{numberOf(room.head)}</td>
                  <td><bdi>{room.owner ?? words.unknown}</bdi></td>
                  <td>{numberOf(room.epoch)}</td>
                  <td>{numberOf(room.queue)}</td>
                  <td>{numberOf(room.interest)}</td>
                </tr>
              )}</For>
            </Table>
            <Rest of={list} />
          </>
        )}
      </Awaited>
    </>
  );
}
