// Pages and the way between them; above them how the server is reached.

import { createEffect, createSignal, For, type JSX, Match, on, onCleanup, Show, Switch } from "solid-js";
import { setTheme, type Theme, theme } from "../state/settings";
import { Logo } from "../ui/Icon";
import { Audit } from "./pages/Audit";
import { Configuration } from "./pages/Configuration";
import { Nodes } from "./pages/Nodes";
import { Overview } from "./pages/Overview";
import { Room } from "./pages/Room";
import { Rooms } from "./pages/Rooms";
import { Shards } from "./pages/Shards";
import { User } from "./pages/User";
import { Users } from "./pages/Users";
import { useOperator } from "./state/operator";
import { linkTo, PAGES, type Place, place } from "./state/place";
import { clockOf, spanOf, words } from "./texts";
import { Ask } from "./ui/Ask";

export function Frame(): JSX.Element {
  let main!: HTMLElement;
  createEffect(on(place, ({ page }) => {
    document.title = `${words.pages[page]} – ${words.product}`;
    main.scrollTop = 0;
  }, { defer: false }));
  return (
    <div class="board">
      <a class="skip" href={location.hash || "#/overview"} onClick={(event) => { event.preventDefault(); main.focus(); }}>{words.skip}</a>
      <Head />
      <nav aria-label={words.navigation}>
        <For each={PAGES}>{(page) => <a href={linkTo(page)} aria-current={place().page === page ? "page" : undefined}>{words.pages[page]}</a>}</For>
      </nav>
      <main ref={main} tabindex="-1">
        <Banner />
        <Show when={place()} keyed>{(present) => <Content at={present} />}</Show>
      </main>
      <Ask />
    </div>
  );
}

function Content(props: { at: Place }): JSX.Element {
  const { page, id } = props.at;
  return (
    <Switch>
      <Match when={page === "overview"}><Overview /></Match>
      <Match when={page === "nodes"}><Nodes /></Match>
      <Match when={page === "shards"}><Shards of={id ?? ""} /></Match>
      <Match when={page === "users" && id}>{(user) => <User id={user()} />}</Match>
      <Match when={page === "users"}><Users /></Match>
      <Match when={page === "rooms" && id}>{(room) => <Room id={room()} />}</Match>
      <Match when={page === "rooms"}><Rooms /></Match>
      <Match when={page === "audit"}><Audit /></Match>
      <Match when={page === "configuration"}><Configuration /></Match>
    </Switch>
  );
}

function Head(): JSX.Element {
  const operator = useOperator();
  const [now, setNow] = createSignal(Date.now());
  const timer = setInterval(() => setNow(Date.now()), 1_000);
  onCleanup(() => clearInterval(timer));
  return (
    <header class="top">
      <Logo />
      <p class="who">
        <b>{words.product}</b>
        <Show when={operator.live.overview()}>
          {(seen) => <span class="quiet"><bdi>{seen().node}</bdi> · {seen().version} · {words.facts.up} {spanOf(now() - Date.parse(seen().started_at))}</span>}
        </Show>
      </p>
      <select aria-label={words.theme} value={theme()} onChange={(event) => setTheme(event.currentTarget.value as Theme)}>
        <For each={Object.entries(words.themes)}>{([value, name]) => <option value={value}>{name}</option>}</For>
      </select>
      <button onClick={() => operator.logOut()}>{words.logOut}</button>
    </header>
  );
}

/** That the server does not answer, or has begun anew. */
function Banner(): JSX.Element {
  const { live } = useOperator();
  const said = (): string => {
    const trouble = live.trouble();
    if (trouble) {
      const since = clockOf(trouble.since);
      return trouble.refusal.status === undefined ? words.noAnswer(since, trouble.refusal.message) : words.refusedSince(since, trouble.refusal.code);
    }
    const restarted = live.restarted();
    return restarted ? words.restarted(clockOf(restarted)) : "";
  };
  return (
    <div class="banner" classList={{ trouble: live.trouble() !== undefined }} role="status">
      <span>{said()}</span>
      <Show when={live.trouble()}><button onClick={() => live.lookNow()}>{words.tryNow}</button></Show>
    </div>
  );
}
