// Who it is at a glance: initials on one of twelve grounds, the same one everywhere.

import { type JSX, Show } from "solid-js";

const GROUNDS = 12;

export function Avatar(props: { id: string; name: string; small?: boolean; isOnline?: boolean }): JSX.Element {
  return (
    <span class={`avatar ground-${groundOf(props.id)}`} classList={{ small: props.small ?? false }} aria-hidden="true">
      {initials(props.name)}
      <Show when={props.isOnline}>
        <span class="online" />
      </Show>
    </span>
  );
}

function groundOf(id: string): number {
  let sum = 0;
  for (const letter of id) sum = (sum * 31 + letter.charCodeAt(0)) % 9_973;
  return sum % GROUNDS;
}

function initials(name: string): string {
  const words = name.split(/[\s._-]+/).filter((word) => /[\p{L}\p{N}]/u.test(word));
  const letters = words.length > 1 ? [words[0], words[1]] : [words[0]];
  return letters.map((word) => [...(word ?? "?")].find((letter) => /[\p{L}\p{N}]/u.test(letter)) ?? "?").join("").toLocaleUpperCase();
}
