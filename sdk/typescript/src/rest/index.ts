// Every route of the server as a method, by what it is about.

import type { Notify, Role, RoomId, Seq, UserId } from "../generated/live.js";
import type * as Wire from "../generated/people.js";
import type { Http } from "./http.js";
import { MediaRoutes } from "./media.js";
import { type Page, type Paging, pages } from "./paging.js";
import { RoomRoutes } from "./rooms.js";

export type { Page, Paging } from "./paging.js";

/** Accounts, logins and people; `rooms` has the rest. */
export class Rest {
  readonly #http: Http;
  /** Rooms, their members and messages. */
  readonly rooms: RoomRoutes;
  /** Files. */
  readonly media: MediaRoutes;

  constructor(http: Http) {
    this.#http = http;
    this.media = new MediaRoutes(http);
    this.rooms = new RoomRoutes(http);
  }

  /** Makes an account. `conflict`: the handle or the email is taken. */
  createAccount(account: Wire.NewAccount): Promise<Wire.User> {
    return this.#http.ask("post_accounts", { body: account });
  }

  /** Logs in; `client.logIn` does this and uses the token from then on. */
  logIn(login: Wire.NewLogin): Promise<Wire.Login> {
    return this.#http.ask("post_logins", { body: login });
  }

  /** My logins: one page. */
  logins(paging: Paging = {}): Promise<Page<Wire.Device>> {
    return this.#http.ask("get_logins", { query: paging });
  }

  /** Ends one of my logins. */
  async endLogin(device: string | "current"): Promise<void> {
    if (device === "current") await this.#http.ask("delete_logins_current");
    else await this.#http.ask("delete_logins_device", { path: { device } });
  }

  /** Ends all of my logins but this one. */
  async endOtherLogins(): Promise<void> {
    await this.#http.ask("delete_logins");
  }

  me(): Promise<Wire.Me> {
    return this.#http.ask("get_me");
  }

  /** Changes my account; `null` clears. */
  changeMe(change: Wire.MeChange): Promise<Wire.Me> {
    return this.#http.ask("patch_me", { body: change });
  }

  /** Changes my password; every other login of mine ends. */
  async changePassword(change: Wire.PasswordChange): Promise<void> {
    await this.#http.ask("post_me_password", { body: change });
  }

  /** Ends my account. My messages stay, under a nameless user. */
  async deleteMe(proof: Wire.PasswordProof): Promise<void> {
    await this.#http.ask("delete_me", { body: proof });
  }

  user(user: UserId): Promise<Wire.User> {
    return this.#http.ask("get_users_user", { path: { user } });
  }

  /** Finds people by handle or name: one page. */
  users(query: string, paging: Paging = {}): Promise<Page<Wire.User>> {
    return this.#http.ask("get_users", { query: { query, ...paging } });
  }

  contacts(paging: Paging = {}): Promise<Page<Wire.Contact>> {
    return this.#http.ask("get_contacts", { query: paging });
  }

  contact(user: UserId): Promise<Wire.Contact> {
    return this.#http.ask("get_contacts_user", { path: { user } });
  }

  /** Invites somebody, or accepts their invitation. */
  addContact(user: UserId): Promise<Wire.Contact> {
    return this.#http.ask("put_contacts_user", { path: { user } });
  }

  /** Cancels, refuses or removes. */
  async removeContact(user: UserId): Promise<void> {
    await this.#http.ask("delete_contacts_user", { path: { user } });
  }

  blocks(paging: Paging = {}): Promise<Page<Wire.User>> {
    return this.#http.ask("get_blocks", { query: paging });
  }

  /** Whether I have blocked somebody. */
  block(user: UserId): Promise<Wire.User> {
    return this.#http.ask("get_blocks_user", { path: { user } });
  }

  addBlock(user: UserId): Promise<Wire.User> {
    return this.#http.ask("put_blocks_user", { path: { user } });
  }

  async removeBlock(user: UserId): Promise<void> {
    await this.#http.ask("delete_blocks_user", { path: { user } });
  }

  /** What opens one WebSocket, once, within 30 seconds. The client does this itself. */
  ticket(signal?: AbortSignal): Promise<Wire.Ticket> {
    return this.#http.ask("post_tickets", signal ? { signal } : {});
  }

  /** All items of a list, page by page: `for await (const user of rest.all((p) => rest.users("a", p)))`. */
  all<T>(list: (paging: Paging) => Promise<Page<T>>): AsyncGenerator<T, void, undefined> {
    return pages(list);
  }
}

export type { Notify, Role, RoomId, Seq, UserId };
