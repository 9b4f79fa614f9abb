// My account and this browser: name, password, looks, notices, and where I am logged in.

import { createResource, createSignal, For, type JSX, Show } from "solid-js";
import { useChat, wordsFor } from "../state/chat";
import { drafts } from "../state/drafts";
import { forgetLogin } from "../state/login";
import { alerts, canAlert, setAlerts, setTheme, theme, type Theme } from "../state/settings";
import type { Device } from "../state/wire";
import { shortTime } from "../text/time";
import { texts } from "../texts";
import { confirm } from "../ui/Confirm";
import { Dialog } from "../ui/Dialog";
import { Field } from "../ui/Field";
import { Icon } from "../ui/Icon";

export function Settings(): JSX.Element {
  const chat = useChat();
  const logOut = async (): Promise<void> => {
    const waiting = chat.client.outgoing().length;
    if (waiting > 0 && !(await confirm({ title: texts.logOut, words: texts.logOutLoses(waiting), yes: texts.logOut, isGrave: true }))) return;
    drafts.clear();
    // First, so that what follows is known to be meant.
    forgetLogin();
    await chat.client.logOut().catch(chat.tell);
  };
  return (
    <Dialog title={texts.settings} onClose={() => chat.setPanel(undefined)}>
      <Profile />
      <Looks />
      <Devices />
      <Password />
      <Keys />
      <p class="buttons apart"><button onClick={() => void logOut()}><Icon name="door" /> {texts.logOut}</button></p>
    </Dialog>
  );
}

function Profile(): JSX.Element {
  const chat = useChat();
  const [told, setTold] = createSignal("");
  const save = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement);
    const value = (name: string): string | null => String(data.get(name) ?? "").trim() || null;
    try {
      const me = await chat.client.rest.changeMe({ display_name: value("name"), about: value("about"), email: value("email") });
      chat.setMe(me);
      chat.people.learn([me]);
      setTold(texts.saved);
    } catch (error) {
      setTold(wordsFor(error));
    }
  };
  return (
    <Show when={chat.me()}>
      {(me) => (
        <form class="stack" onSubmit={(event) => void save(event)}>
          <h3>{texts.profile} <span class="quiet">@{me().handle}</span></h3>
          <Field name="name" label={texts.displayName} value={me().display_name} autocomplete="name" />
          <Field name="about" label={texts.about} value={me().about ?? ""} />
          <Field name="email" type="email" label={texts.email} value={me().email ?? ""} autocomplete="email" />
          <p class="buttons"><span class="quiet" role="status">{told()}</span><button class="primary">{texts.save}</button></p>
        </form>
      )}
    </Show>
  );
}

function Looks(): JSX.Element {
  const choices: readonly (readonly [Theme, string])[] = [["system", texts.themeSystem], ["light", texts.themeLight], ["dark", texts.themeDark]];
  const [isRefused, setRefused] = createSignal(false);
  return (
    <section class="stack">
      <fieldset class="tabs">
        <legend>{texts.theme}</legend>
        <For each={choices}>
          {([name, words]) => (
            <label><input type="radio" name="theme" checked={theme() === name} onChange={() => setTheme(name)} /><span>{words}</span></label>
          )}
        </For>
      </fieldset>
      <Show when={canAlert()}>
        <label class="check">
          <input type="checkbox" checked={alerts()} onChange={(event) => {
            const box = event.currentTarget;
            void setAlerts(box.checked).then((may) => {
              setRefused(!may);
              box.checked = alerts();
            });
          }} />
          {texts.alerts}
        </label>
        <Show when={isRefused()}><p class="problem" role="alert">{texts.alertsRefused}</p></Show>
      </Show>
    </section>
  );
}

function Devices(): JSX.Element {
  const chat = useChat();
  const [devices, { refetch }] = createResource(async () => {
    const found: Device[] = [];
    for await (const device of chat.client.rest.all((page) => chat.client.rest.logins(page))) found.push(device);
    return found.sort((one, other) => Number(other.current) - Number(one.current) || other.last_used_at.localeCompare(one.last_used_at));
  });
  const attempt = async (what: Promise<void>): Promise<void> => {
    await what.catch(chat.tell);
    await refetch();
  };
  const endOthers = async (): Promise<void> => {
    const sure = await confirm({ title: texts.endOthers, words: texts.endOthersWords, yes: texts.endOthers, isGrave: true });
    if (sure) await attempt(chat.client.rest.endOtherLogins());
  };
  return (
    <section class="stack">
      <h3>{texts.devices}</h3>
      <ul class="members">
        <For each={devices.latest ?? []}>
          {(device) => (
            <li class="person">
              <span class="avatar device"><Icon name="device" /></span>
              <span class="words">
                <b><bdi>{device.name}</bdi></b>
                <span class="quiet">{device.current ? texts.thisDevice : texts.lastUsed(shortTime(new Date(device.last_used_at)))}</span>
              </span>
              <Show when={!device.current}>
                <button class="link alarm" aria-label={texts.endLoginOf(device.name)} onClick={() => void attempt(chat.client.rest.endLogin(device.id))}>{texts.endLogin}</button>
              </Show>
            </li>
          )}
        </For>
      </ul>
      <Show when={(devices.latest?.length ?? 0) > 1}>
        <p class="buttons"><button onClick={() => void endOthers()}>{texts.endOthers}</button></p>
      </Show>
    </section>
  );
}

function Password(): JSX.Element {
  const chat = useChat();
  const [told, setTold] = createSignal("");
  const change = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const data = new FormData(form);
    try {
      await chat.client.rest.changePassword({ current: String(data.get("current")), new: String(data.get("new")) });
      form.reset();
      setTold(texts.passwordChanged);
    } catch (error) {
      setTold(wordsFor(error));
    }
  };
  return (
    <form class="stack" onSubmit={(event) => void change(event)}>
      <h3>{texts.changePassword}</h3>
      <input class="heard" type="text" autocomplete="username" value={chat.me()?.handle ?? ""} tabindex="-1" aria-hidden="true" readonly />
      <Field name="current" type="password" label={texts.currentPassword} autocomplete="current-password" required />
      <Field name="new" type="password" label={texts.newPassword} hint={texts.passwordHint} autocomplete="new-password" required />
      <p class="buttons"><span class="quiet" role="status">{told()}</span><button>{texts.changePassword}</button></p>
    </form>
  );
}

function Keys(): JSX.Element {
  return (
    <details>
      <summary>{texts.keys}</summary>
      <dl class="keys">
        <For each={texts.keyList}>{([key, what]) => <><dt><kbd>{key}</kbd></dt><dd>{what}</dd></>}</For>
      </dl>
    </details>
  );
}
