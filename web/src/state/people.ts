// Who people are: names for ids, asked for when a screen needs them, a few at a time.

import { createStore } from "solid-js/store";
import { texts } from "../texts";
import type { Client, User, UserId } from "./wire";

const AT_ONCE = 6;

export class People {
  readonly #client: Client;
  readonly #known: Record<UserId, User>;
  readonly #learn: (users: readonly User[]) => void;
  readonly #wanted: UserId[] = [];
  readonly #asked = new Set<UserId>();
  #underWay = 0;

  constructor(client: Client) {
    this.#client = client;
    const [known, setKnown] = createStore<Record<UserId, User>>({});
    this.#known = known;
    this.#learn = (users) => setKnown(Object.fromEntries(users.map((user) => [user.id, user])));
  }

  /** Follows what is known; asks the server if that is nothing. */
  get(id: UserId): User | undefined {
    const user = this.#known[id];
    if (!user && !this.#asked.has(id)) {
      this.#asked.add(id);
      this.#wanted.push(id);
      queueMicrotask(() => this.#ask());
    }
    return user;
  }

  name(id: UserId): string {
    return nameOf(this.get(id));
  }

  learn(users: readonly User[]): void {
    for (const user of users) this.#asked.add(user.id);
    this.#learn(users);
  }

  #ask(): void {
    while (this.#underWay < AT_ONCE) {
      const id = this.#wanted.shift();
      if (id === undefined) return;
      this.#underWay += 1;
      this.#client.rest
        .user(id)
        .then((user) => this.learn([user]))
        // Whoever is shown next asks again.
        .catch(() => this.#asked.delete(id))
        .finally(() => {
          this.#underWay -= 1;
          this.#ask();
        });
    }
  }
}

export function nameOf(user: User | undefined): string {
  if (!user) return texts.someone;
  return user.deleted ? texts.deletedAccount : user.display_name || user.handle;
}
