// What REST takes from people and gives them.
// Made from docs/openapi.json and docs/asyncapi.json by `npm run generate`: not to be changed by hand.

import type { Attachment, ClientId, Code, DeviceId, EventFrame, MediaId, MediaKind, Notify, Role, RoomId, RoomKind, Seq, Time, UserId, Visibility } from "./live.js";

/** Somebody that I know, invited, or was invited by. */
export interface Contact {
  /** Since when. */
  since: Time;
  /** How we stand. */
  state: Standing;
  /** Who. */
  user: User;
}

/** One login. */
export interface Device {
  /** Since when. */
  created_at: Time;
  /** Whether it is the one that asks. */
  current: boolean;
  /** Which. */
  id: DeviceId;
  /** When it was last used, to a minute or so. */
  last_used_at: Time;
  /** What its owner calls it. */
  name: string;
}

/** A page of the log. */
export interface EventPage {
  /** The last event of the room. */
  head: Seq;
  /** As in `event` frames, ascending. */
  items: EventFrame[];
  /** The `after` to go on with. */
  next?: Seq | null;
}

/** One field at fault. */
export interface FieldProblem {
  /** What is wrong with it. */
  code: string;
  /** For people. */
  detail: string;
  /** Where in the body (RFC 6901), or which parameter. */
  pointer: string;
}

/** A page of messages. */
export interface History {
  /** The last event of the room. */
  head: Seq;
  /** In ascending `seq`. */
  items: Message[];
  /** The `after` to go on with. */
  next?: Seq | null;
  /** With `?notices=1`: the `member` and `room` events between these messages, before the first and after the last one, as in `event` frames, ascending. */
  notices?: EventFrame[] | null;
  /** The `before` to go back with. */
  prev?: Seq | null;
}

/** A new login. */
export interface Login {
  /** The login. */
  device: Device;
  /** The token; it cannot be had again. */
  token: string;
  /** Who you are. */
  user: User;
}

/** Marks as they stand. */
export interface Marks {
  /** Delivered up to here. */
  delivered: Seq;
  /** Read up to here. */
  read: Seq;
}

/** How far somebody is. */
export interface MarksChange {
  /** Delivered up to here. */
  delivered?: Seq | null;
  /** Read up to here. */
  read?: Seq | null;
}

/** Who I am. */
export type Me = User & {
  /** My address. */
  email?: string | null;
  /** What I may do on the whole server. */
  role: ServerRole;
};

/** What to change of one's account; `null` clears. */
export interface MeChange {
  /** A few words. */
  about?: string | null;
  /** The name; cleared it is the handle. */
  display_name?: string | null;
  /** The address. */
  email?: string | null;
}

/** A file; what the server found out about it is there once it is ready. */
export interface Media {
  /** `picture`: a few colours to show until it is there. */
  blurhash?: string | null;
  /** Since when. */
  created_at: Time;
  /** `voice`: how long it is. */
  duration_ms?: number | null;
  /** `picture`: in pixels. */
  height?: number | null;
  /** Which. */
  id: MediaId;
  /** What it is. */
  kind?: MediaKind | null;
  /** What it is called. */
  name: string;
  /** Bytes of each part but the last. */
  part_size: number;
  /** The parts that are there, counted from 0. */
  parts: number[];
  /** The room that it was uploaded to. */
  room: RoomId;
  /** The SHA-256 of what was uploaded, in hexadecimal. */
  sha256?: string | null;
  /** Its bytes: as they were announced, and once it is ready as they are read. */
  size: number;
  /** How far it is. */
  state: State;
  /** There is a small picture of it. */
  thumbnail?: boolean;
  /** Its type by what is in it. */
  type?: string | null;
  /** `voice`: how loud it is. */
  waveform?: number[];
  /** `picture`: in pixels. */
  width?: number | null;
}

/** A link for a while. */
export interface MediaLink {
  /** When it ends. */
  expires_at: Time;
  /** To be followed from this server. */
  url: string;
}

/** Somebody in a room. */
export interface Member {
  /** Delivered up to here; in rooms of up to 100 only. */
  delivered?: Seq | null;
  /** Since when. */
  joined_at: Time;
  /** Until when they may not write. */
  muted_until?: Time | null;
  /** Read up to here; in rooms of up to 100 only. */
  read?: Seq | null;
  /** What they may do. */
  role: Role;
  /** Who. */
  user: User;
}

/** What somebody is to be in a room. */
export interface MemberWish {
  /** Until when they may not write; `null`: they may again. */
  muted_until?: Time | null;
  /** The role; what is usual, or as it is, when nothing is said. */
  role?: Role | null;
}

/** The present state of a message. */
export interface Message {
  /** When. */
  at: Time;
  /** The files that it carries; none once deleted. */
  attachments?: Attachment[];
  /** The text as it is now; empty once deleted. */
  body: string;
  /** The idempotency key of the send. */
  client_id: ClientId;
  /** It was taken back. */
  deleted?: boolean;
  /** When it was last changed. */
  edited_at?: Time | null;
  /** Who. */
  from: UserId;
  /** Who it names. */
  mentions?: UserId[];
  /** How people react. */
  reactions: Reactions[];
  /** What it answers. */
  reply_to?: Seq | null;
  /** Where. */
  room: RoomId;
  /** Its place. */
  seq: Seq;
}

/** Another text for a message. */
export interface MessageChange {
  /** The text. */
  body: string;
  /** The idempotency key; made by the server if there is none. */
  client_id?: ClientId | null;
}

/** A new account. */
export interface NewAccount {
  /** The handle if there is none. */
  display_name?: string | null;
  /** An address; one may log in with it. */
  email?: string | null;
  /** 2 to 32 letters, digits, `_`, `.`, `-`. */
  handle: string;
  /** 8 to 1,024 bytes. */
  password: string;
}

/** A login. */
export interface NewLogin {
  /** What to call this login. */
  device_name?: string | null;
  /** A handle or an address. */
  login: string;
  /** The password. */
  password: string;
}

/** A new upload. */
export interface NewMedia {
  /** What to call the file: 1 to 255 bytes, no folders, no controls. */
  name: string;
  /** Its SHA-256, in hexadecimal: what comes is held to it. */
  sha256?: string | null;
  /** Its bytes. */
  size: number;
  /** It is a voice message. */
  voice?: Voice | null;
}

/** A new message. */
export interface NewMessage {
  /** The files that it carries, up to 10: one's own, of that room, and ready. */
  attachments?: MediaId[];
  /** The text: 1 to 16,384 bytes; may be empty with attachments. */
  body: string;
  /** The idempotency key, made by the client. */
  client_id: ClientId;
  /** Who it names; up to 50. */
  mentions?: UserId[];
  /** The message it answers. */
  reply_to?: Seq | null;
  /** The newest seq of the room that the client had when it first tried. */
  seen?: Seq | null;
}

/** A new room. */
export interface NewRoom {
  /** What sort. */
  kind: NewRoomKind;
  /** Who is in it from the start, besides you. */
  members?: UserId[];
  /** Its name, up to 64 characters. */
  name: string;
  /** What it is about. */
  topic?: string | null;
  /** `private` when nothing is said. */
  visibility?: Visibility | null;
}

/** Sorts of rooms that can be made here; a direct room is made at `/direct/{user}`. */
export type NewRoomKind = "group" | "channel";

/** What somebody wants to be told of in a room. */
export interface Notifications {
  /** Until when of nothing. */
  muted_until?: Time | null;
  /** Of what. */
  notify: Notify;
}

/** What became of a write. */
export type Outcome = {
  /** When. */
  at: Time;
  /** Its place. */
  seq: Seq;
  state: "committed";
} | {
  state: "absent";
};

/** Another password. */
export interface PasswordChange {
  /** The one that holds. */
  current: string;
  /** The one to come: 8 to 1,024 bytes. */
  new: string;
}

/** The proof that it is really them. */
export interface PasswordProof {
  /** The password. */
  password: string;
}

/** The body of a problem. */
export interface Problem {
  /** The stable word. */
  code: Code;
  /** For people. */
  detail: string;
  /** The fields at fault. */
  errors?: FieldProblem[];
  /** The path that was asked for. */
  instance: string;
  /** The request's id, as in the log. */
  request_id: string;
  /** The HTTP status. */
  status: number;
  /** What the status means. */
  title: string;
  /** Where the word is explained. */
  type: string;
}

/** One reaction. */
export interface Reaction {
  /** When. */
  at: Time;
  /** Which. */
  emoji: string;
  /** Whose. */
  user: UserId;
}

/** The reactions to a message. */
export interface ReactionList {
  /** Oldest first, up to 1,000. */
  items: Reaction[];
}

/** How many react with one emoji. */
export interface Reactions {
  /** How many. */
  count: number;
  /** Which. */
  emoji: string;
  /** Whether I am one of them. */
  mine: boolean;
}

/** Where a write went. */
export interface Receipt {
  /** When it was accepted. */
  at: Time;
  /** The idempotency key. */
  client_id: ClientId;
  /** It had happened before. */
  repeat?: boolean;
  /** The room. */
  room: RoomId;
  /** Its place in the log. */
  seq: Seq;
}

/** A conversation; the fields from `role` on are there for its members only. */
export interface Room {
  /** Whether it is closed for writing. */
  archived: boolean;
  /** Since when. */
  created_at: Time;
  /** Delivered up to here. */
  delivered?: Seq | null;
  /** Its last event. */
  head: Seq;
  /** Which. */
  id: RoomId;
  /** What sort. */
  kind: RoomKind;
  /** Its newest message. */
  last_message?: Message | null;
  /** How many members. */
  members: number;
  /** Its name; empty for a direct room. */
  name: string;
  /** What I want to be told of. */
  notify?: Notify | null;
  /** The other one of a direct room. */
  peer?: User | null;
  /** Read up to here. */
  read?: Seq | null;
  /** What I may do. */
  role?: Role | null;
  /** What it is about. */
  topic?: string;
  /** Messages after `read`. */
  unread?: number | null;
  /** Who may find and join it. */
  visibility: Visibility;
}

/** What to change of a room. */
export interface RoomChange {
  /** Whether it is closed for writing. */
  archived?: boolean | null;
  /** The name. */
  name?: string | null;
  /** The topic; `null` or empty for none. */
  topic?: string | null;
  /** Who may find and join it. */
  visibility?: Visibility | null;
}

/** What somebody may do on the whole server. */
export type ServerRole = "user" | "admin";

/** How two people stand. */
export type Standing = "invited" | "asking" | "contact";

/** How far a file is. */
export type State = "uploading" | "ready" | "refused";

/** What opens one WebSocket. */
export interface Ticket {
  /** When it ends. */
  expires_at: Time;
  /** For one use. */
  ticket: string;
}

/** A person or a bot. */
export interface User {
  /** A few words. */
  about?: string | null;
  /** Since when. */
  created_at: Time;
  /** The account is gone. */
  deleted?: boolean;
  /** Their name. */
  display_name: string;
  /** Their handle; empty once the account is gone. */
  handle: string;
  /** Who. */
  id: UserId;
}

/** What is said of a voice message. */
export interface Voice {
  /** How long it is. */
  duration_ms: number;
  /** How loud it is from its beginning to its end: up to 128 numbers from 0 to 100. */
  waveform: number[];
}
