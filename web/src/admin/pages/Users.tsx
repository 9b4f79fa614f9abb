// Finding people.

import type { Admin } from "@rookery/client";
import { createSignal, For, type JSX } from "solid-js";
import { createList } from "../state/loaded";
import { linkTo } from "../state/place";
import { momentOf, numberOf, words } from "../texts";
import { Awaited, Mark, Rest, Search, Table } from "../ui/Parts";

export function AccountState(props: { of: Admin.AdminUser }): JSX.Element {
  return <Mark mood={props.of.disabled ? "warm" : "well"}>{props.of.disabled ? words.account.disabled : words.account.well}</Mark>;
}

export function Users(): JSX.Element {
  const [query, setQuery] = createSignal("");
  const list = createList<Admin.AdminUser>(() => "/users", () => ({ query: query().trim() }));
  return (
    <>
      <h1>{words.pages.users}</h1>
      <div class="filters"><Search label={words.findUsers} value={query()} onInput={setQuery} /></div>
      <Awaited of={list}>
        {(users) => (
          <>
            <Table label={words.pages.users} head={[words.handle, words.name, words.state, words.role, words.sessions, words.logins, words.lastSeen]}>
              <For each={users()}>{(user) => (
                <tr data-user={user.handle}>
                  <th scope="row"><a href={linkTo("users", user.id)}><bdi>{user.handle}</bdi></a></th>
                  <td class="long"><bdi>{user.display_name}</bdi></td>
                  <td><AccountState of={user} /></td>
                  <td>{words.roles[user.role] ?? user.role}</td>
                  <td>{numberOf(user.sessions)}</td>
                  <td>{numberOf(user.devices)}</td>
                  <td>{momentOf(user.last_seen)}</td>
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
