// Every setting in force, where it comes from, and changing those that can be changed while the server runs.

import type { Admin } from "@rookery/client";
import { createMemo, createSignal, For, type JSX, Show } from "solid-js";
import { createLoaded } from "../state/loaded";
import { type Operator, useOperator } from "../state/operator";
import { words } from "../texts";
import { Awaited, Search, Table } from "../ui/Parts";

const shown = (value: unknown): string => (value === null ? words.notSet : typeof value === "string" ? value : JSON.stringify(value));

/** What was typed, as the sort of value that the setting has now; the server says whether it fits. */
function typedAs(before: unknown, text: string): unknown {
  if (typeof before === "string" || before === null) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function change({ ask, server, live }: Operator, { key, value }: Admin.Setting): void {
  const node = live.overview()?.node ?? words.unknown;
  ask({
    title: words.changeTitle(key),
    says: words.changeSays(node, shown(value)),
    yes: words.changeSetting,
    isGrave: true,
    wanted: { label: words.newValue, value: value === null ? "" : shown(value) },
    run: async (text) => {
      const { items } = await server.change<Admin.Settings>("PATCH", "/config", { [key]: typedAs(value, text) });
      return words.settingChanged(key, shown(items.find((item) => item.key === key)?.value ?? null));
    },
  });
}

export function Configuration(): JSX.Element {
  const operator = useOperator();
  const [text, setText] = createSignal("");
  const settings = createLoaded(() => 0, () => operator.server.get<Admin.Settings>("/config"));
  const found = createMemo(() => (settings.value()?.items ?? []).filter(({ key, origin }) => `${key} ${origin}`.includes(text().trim().toLowerCase())));
  return (
    <>
      <h1>{words.pages.configuration}</h1>
      <div class="filters"><Search label={words.filterSettings} value={text()} onInput={setText} /></div>
      <Awaited of={settings}>
        {() => (
          <Table label={words.pages.configuration} head={[words.setting, words.value, words.origin, ""]}>
            <For each={found()}>{(setting) => (
              <tr data-setting={setting.key}>
                <th scope="row"><code>{setting.key}</code></th>
                <td class="long"><bdi>{shown(setting.value)}</bdi></td>
                <td class="long"><bdi>{setting.origin}</bdi></td>
                <td><Show when={setting.changeable}><button class="link" aria-label={words.changeSettingOf(setting.key)} onClick={() => change(operator, setting)}>{words.changeSetting}</button></Show></td>
              </tr>
            )}</For>
          </Table>
        )}
      </Awaited>
    </>
  );
}
