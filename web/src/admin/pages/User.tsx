// One user: who it is, where they are, and what an operator can do about them.

import type { Admin } from "@rookery/client";
import { For, type JSX, Show } from "solid-js";
import { createList, createLoaded } from "../state/loaded";
import { type Operator, useOperator } from "../state/operator";
import { go, linkTo } from "../state/place";
import { momentOf, words } from "../texts";
import { Awaited, Fact, Rest, Table } from "../ui/Parts";
import { AccountState } from "./Users";

type Person = Admin.AdminUser;

const pathOf = (user: Person): string => `/users/${user.id}`;

function setDisabled({ ask, server }: Operator, user: Person, disabled: boolean): void {
  const run = async (): Promise<string> => {
    await server.change("PATCH", pathOf(user), { disabled });
    return disabled ? words.disabled(user.handle) : words.enabled(user.handle);
  };
  if (disabled) ask({ title: words.disableTitle(user.handle), says: words.disableSays(user.devices, user.sessions), yes: words.disable, isGrave: true, run });
  else ask({ title: words.enableTitle(user.handle), says: words.enableSays, yes: words.enable, run });
}

function setRole({ ask, server }: Operator, user: Person, role: "admin" | "user"): void {
  const run = async (): Promise<string> => {
    const changed = await server.change<Person>("PATCH", pathOf(user), { role });
    return words.roleChanged(user.handle, words.roles[changed.role] ?? changed.role);
  };
  if (role === "admin") ask({ title: words.makeAdminTitle(user.handle), says: words.makeAdminSays, yes: words.makeAdmin, isGrave: true, typed: user.handle, run });
  else ask({ title: words.takeAdminTitle(user.handle), says: words.takeAdminSays, yes: words.takeAdmin, run });
}

function resetPassword({ ask, server }: Operator, user: Person): void {
  ask({
    title: words.passwordTitle(user.handle),
    says: words.passwordSays(user.devices, user.sessions),
    yes: words.password,
    isGrave: true,
    wanted: { label: words.newPassword, hint: words.newPasswordHint, isSecret: true },
    run: async (password) => {
      await server.change("PATCH", pathOf(user), { password });
      return words.passwordChanged(user.handle);
    },
  });
}

function erase({ ask, server }: Operator, user: Person): void {
  ask({
    title: words.eraseTitle(user.handle),
    says: words.eraseSays(user.devices),
    yes: words.erase,
    isGrave: true,
    typed: user.handle,
    run: async () => {
      await server.change("DELETE", pathOf(user));
      go("users");
      return words.erased(user.handle);
    },
  });
}

export function User(props: { id: string }): JSX.Element {
  const operator = useOperator();
  const user = createLoaded(() => [props.id, operator.live.looks()], () => operator.server.get<Person>(`/users/${encodeURIComponent(props.id)}`));
  return (
    <>
      <p><a href={linkTo("users")}>{words.back}</a></p>
      <Awaited of={user}>
        {(present) => (
          <>
            <h1><bdi>{present().display_name}</bdi> <span class="quiet">@<bdi>{present().handle}</bdi></span></h1>
            <dl class="facts">
              <Fact name={words.state}><AccountState of={present()} /></Fact>
              <Fact name={words.role}>{words.roles[present().role] ?? present().role}</Fact>
              <Fact name={words.logins}>{String(present().devices)}</Fact>
              <Fact name={words.lastSeen}>{momentOf(present().last_seen)}</Fact>
              <Fact name={words.email}><bdi>{present().email ?? "–"}</bdi></Fact>
              <Fact name={words.id}><code>{present().id}</code></Fact>
            </dl>
            <Deeds of={present()} operator={operator} />
          </>
        )}
      </Awaited>
      <Sessions id={props.id} operator={operator} />
    </>
  );
}

function Deeds(props: { of: Person; operator: Operator }): JSX.Element {
  return (
    <div class="deeds" role="group" aria-label={words.actions}>
      <button onClick={() => setDisabled(props.operator, props.of, !props.of.disabled)}>{props.of.disabled ? words.enable : words.disable}</button>
      <button onClick={() => setRole(props.operator, props.of, props.of.role === "admin" ? "user" : "admin")}>{props.of.role === "admin" ? words.takeAdmin : words.makeAdmin}</button>
      <button onClick={() => resetPassword(props.operator, props.of)}>{words.password}</button>
      <button class="alarm" onClick={() => erase(props.operator, props.of)}>{words.erase}</button>
    </div>
  );
}

function closeSession({ ask, server }: Operator, session: Admin.AdminSession): void {
  ask({
    title: words.closeSessionTitle,
    says: words.closeSessionSays(session.client ?? words.unknown, session.node),
    yes: words.closeSession,
    isGrave: true,
    run: async () => {
      await server.change("DELETE", `/sessions/${session.session}`);
      return words.sessionClosed;
    },
  });
}

function perNode(sessions: readonly Admin.AdminSession[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const { node } of sessions) counts.set(node, (counts.get(node) ?? 0) + 1);
  return [...counts].sort(([one], [other]) => one.localeCompare(other));
}

function Sessions(props: { id: string; operator: Operator }): JSX.Element {
  const list = createList<Admin.AdminSession>(() => `/users/${encodeURIComponent(props.id)}/sessions`, () => ({ limit: 200 }));
  return (
    <section aria-labelledby="where">
      <h2 id="where">{words.whereNow}</h2>
      <Show when={list.value() ?? !list.problem()}>
        <Awaited of={list}>
          {(sessions) => (
            <>
              <p class="where">{sessions().length === 0 ? words.nowhere : words.onNodes(perNode(sessions()))}</p>
              <Show when={sessions().length > 0}>
                <Table label={words.sessions} head={[words.session, words.node, words.client, words.since, words.device, ""]}>
                  <For each={sessions()}>{(session) => (
                    <tr data-session={session.session}>
                      <th scope="row"><code>{session.session}</code></th>
                      <td><bdi>{session.node}</bdi></td>
                      <td class="long"><bdi>{session.client ?? "–"}</bdi></td>
                      <td>{momentOf(session.since)}</td>
                      <td><code>{session.device}</code></td>
                      <td><button class="link" aria-label={words.closeSessionOf(session.session)} onClick={() => closeSession(props.operator, session)}>{words.closeSession}</button></td>
                    </tr>
                  )}</For>
                </Table>
              </Show>
              <Rest of={list} isQuiet />
            </>
          )}
        </Awaited>
      </Show>
    </section>
  );
}
