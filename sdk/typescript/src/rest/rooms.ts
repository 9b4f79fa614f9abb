// The routes about rooms: rooms, members, messages, marks.

import type { RoomId, Seq, UserId } from "../generated/live.js";
import type * as Wire from "../generated/people.js";
import type { Http } from "./http.js";
import type { Page, Paging } from "./paging.js";

/** Which messages: at most one of `before`, `after`, `around`; none of them: the newest. */
export interface Window {
  before?: Seq;
  after?: Seq;
  around?: Seq;
  /** 1 to 200; 50 when left out. */
  limit?: number;
  /** Also the `member` and `room` events between these messages. */
  notices?: "0" | "1";
}

/** Rooms, their members and messages. */
export class RoomRoutes {
  readonly #http: Http;

  constructor(http: Http) {
    this.#http = http;
  }

  /** Makes a group or a channel. The same `idempotencyKey` makes one room only. */
  create(room: Wire.NewRoom, idempotencyKey?: string): Promise<Wire.Room> {
    return this.#http.ask("post_rooms", { body: room, ...(idempotencyKey === undefined ? {} : { idempotencyKey }) });
  }

  /** The direct room with somebody, made if it is not there. */
  direct(user: UserId): Promise<Wire.Room> {
    return this.#http.ask("put_direct_user", { path: { user } });
  }

  /** The rooms that I am in, newest activity first: one page. */
  mine(paging: Paging = {}, signal?: AbortSignal): Promise<Page<Wire.Room>> {
    return this.#http.ask("get_rooms", { query: paging, ...(signal ? { signal } : {}) });
  }

  /** Public rooms whose name has something to do with `query`: one page. */
  discover(query = "", paging: Paging = {}): Promise<Page<Wire.Room>> {
    return this.#http.ask("get_rooms", { query: { public: "1", ...(query ? { query } : {}), ...paging } });
  }

  get(room: RoomId, signal?: AbortSignal): Promise<Wire.Room> {
    return this.#http.ask("get_rooms_room", { path: { room }, ...(signal ? { signal } : {}) });
  }

  change(room: RoomId, change: Wire.RoomChange): Promise<Wire.Room> {
    return this.#http.ask("patch_rooms_room", { path: { room }, body: change });
  }

  async delete(room: RoomId): Promise<void> {
    await this.#http.ask("delete_rooms_room", { path: { room } });
  }

  members(room: RoomId, paging: Paging = {}): Promise<Page<Wire.Member>> {
    return this.#http.ask("get_rooms_room_members", { path: { room }, query: paging });
  }

  /** Adds somebody, or changes their role or for how long they may not write; with myself: joins a public room. */
  putMember(room: RoomId, user: UserId, wish: Wire.MemberWish = {}): Promise<Wire.Member> {
    return this.#http.ask("put_rooms_room_members_user", { path: { room, user }, body: wish });
  }

  /** Removes somebody, or leaves. `ban` keeps them out too; `unban` lifts that. */
  async removeMember(room: RoomId, user: UserId, also: { ban?: boolean; unban?: boolean } = {}): Promise<void> {
    const query = { ...(also.ban ? { ban: "1" as const } : {}), ...(also.unban ? { unban: "1" as const } : {}) };
    await this.#http.ask("delete_rooms_room_members_user", { path: { room, user }, query });
  }

  /** Messages in their present state, ascending. */
  messages(room: RoomId, window: Window = {}): Promise<Wire.History> {
    return this.#http.ask("get_rooms_room_messages", { path: { room }, query: window });
  }

  /** What happened, event by event: one page. */
  events(room: RoomId, after: Seq, limit = 200, signal?: AbortSignal): Promise<Wire.EventPage> {
    return this.#http.ask("get_rooms_room_events", { path: { room }, query: { after, limit }, ...(signal ? { signal } : {}) });
  }

  /** Sends a message without a connection and without the outbox. Again with the same `client_id` it is the same one. */
  post(room: RoomId, message: Wire.NewMessage): Promise<Wire.Receipt> {
    return this.#http.ask("post_rooms_room_messages", { path: { room }, body: message });
  }

  /** What became of a write of mine. */
  outcome(room: RoomId, client_id: string): Promise<Wire.Outcome> {
    return this.#http.ask("get_rooms_room_outcomes_client_id", { path: { room, client_id } });
  }

  /** Gives a message of mine another text. A try that got no answer is repeated with the same `client_id`. */
  edit(room: RoomId, seq: Seq, body: string, client_id?: string): Promise<Wire.Receipt> {
    const change = client_id === undefined ? { body } : { body, client_id };
    return this.#http.ask("patch_rooms_room_messages_seq", { path: { room, seq }, body: change });
  }

  /** Takes a message back. */
  async deleteMessage(room: RoomId, seq: Seq, client_id?: string): Promise<void> {
    const query = client_id === undefined ? {} : { client_id };
    await this.#http.ask("delete_rooms_room_messages_seq", { path: { room, seq }, query });
  }

  async react(room: RoomId, seq: Seq, emoji: string): Promise<void> {
    await this.#http.ask("put_rooms_room_messages_seq_reactions_emoji", { path: { room, seq, emoji } });
  }

  async unreact(room: RoomId, seq: Seq, emoji: string): Promise<void> {
    await this.#http.ask("delete_rooms_room_messages_seq_reactions_emoji", { path: { room, seq, emoji } });
  }

  /** Who reacted and how. */
  async reactions(room: RoomId, seq: Seq): Promise<Wire.Reaction[]> {
    return (await this.#http.ask("get_rooms_room_messages_seq_reactions", { path: { room, seq } })).items;
  }

  /** Moves my marks forwards; `client.markRead` does this with less traffic. */
  mark(room: RoomId, marks: Wire.MarksChange): Promise<Wire.Marks> {
    return this.#http.ask("put_rooms_room_marks", { path: { room }, body: marks });
  }

  /** What I want to be told of. */
  notify(room: RoomId, wish: Wire.Notifications): Promise<Wire.Notifications> {
    return this.#http.ask("put_rooms_room_notifications", { path: { room }, body: wish });
  }
}
