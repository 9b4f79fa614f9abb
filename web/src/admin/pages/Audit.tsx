// Who did what, newest first.

import type { Admin } from "@rookery/client";
import { For, type JSX } from "solid-js";
import { createList } from "../state/loaded";
import { linkTo } from "../state/place";
import { momentOf, words } from "../texts";
import { Awaited, Rest, Table } from "../ui/Parts";

const ID = /^[0-9a-f]{8}-[0-9a-f-]{27}$/;

/** Ids of people and rooms lead to them. */
function Named(props: { text: string; page: "users" | "rooms" | undefined }): JSX.Element {
  return props.page && ID.test(props.text) ? <a href={linkTo(props.page, props.text)}><code>{props.text}</code></a> : <bdi>{props.text}</bdi>;
}

const pageOf = (action: string): "users" | "rooms" | undefined => (action.startsWith("user.") ? "users" : action.startsWith("room.") ? "rooms" : undefined);

export function Audit(): JSX.Element {
  const list = createList<Admin.AuditEntry>(() => "/audit", () => ({}));
  return (
    <>
      <h1>{words.pages.audit}</h1>
      <Awaited of={list}>
        {(entries) => (
          <>
            <Table label={words.pages.audit} head={[words.when, words.actor, words.action, words.subject, words.detail]}>
              <For each={entries()}>{(entry) => (
                <tr>
                  <td>{momentOf(entry.at)}</td>
                  <td><Named text={entry.actor} page="users" /></td>
                  <th scope="row"><code>{entry.action}</code></th>
                  <td class="long"><Named text={entry.subject} page={pageOf(entry.action)} /></td>
                  <td class="long"><bdi>{entry.detail}</bdi></td>
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
