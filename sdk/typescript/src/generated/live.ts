// What the frames of the WebSocket are made of.
// Made from docs/openapi.json and docs/asyncapi.json by `npm run generate`: not to be changed by hand.

/** The limits that a client should know. */
export interface AnnouncedLimits {
  /** Bytes of one body. */
  body: number;
  /** Bytes of one frame. */
  frame: number;
  /** Bytes that may wait for a slow reader. */
  outbox: number;
  /** Rooms of one user. */
  rooms: number;
  /** Writes per second. */
  sends_per_second: number;
}

/** A file as the messages that carry it describe it. */
export interface Attachment {
  /** `picture`: a few colours to show until it is there (BlurHash). */
  blurhash?: string | null;
  /** `voice`: how long it is, as its sender says. */
  duration_ms?: number | null;
  /** `picture`: its height in pixels. */
  height?: number | null;
  /** Which. */
  id: MediaId;
  /** What it is. */
  kind: MediaKind;
  /** What its sender calls it; for people's eyes. */
  name: string;
  /** Its bytes. */
  size: number;
  /** There is a small picture of it. */
  thumbnail?: boolean;
  /** Its type by what is in it. */
  type: string;
  /** `voice`: how loud it is from its beginning to its end, 0 to 100. */
  waveform?: number[];
  /** `picture`: its width in pixels. */
  width?: number | null;
}

/** How a member or a room changed. */
export type Change = MemberChange | RoomChangeKind;

/** The idempotency key that a client gives to a write. */
export type ClientId = string;

/** What went wrong. */
export type Code = "bad_frame" | "bad_request" | "unauthenticated" | "forbidden" | "not_found" | "not_member" | "conflict" | "too_large" | "rate_limited" | "busy" | "unavailable" | "moved" | "archived" | "muted" | "blocked" | "gone" | "quota";

/** Take a message back. */
export interface Delete {
  /** The idempotency key. */
  client_id: ClientId;
  /** Echoed in the answer. */
  id?: string | null;
  /** Where. */
  room: RoomId;
  /** The newest seq that the client had when it first tried. */
  seen?: Seq | null;
  /** The message. */
  seq: Seq;
  type: string;
}

/** One login of a user: what a token stands for. */
export type DeviceId = string;

/** Give a message another text. */
export interface Edit {
  /** The text from now on. */
  body: string;
  /** The idempotency key. */
  client_id: ClientId;
  /** Echoed in the answer. */
  id?: string | null;
  /** Where. */
  room: RoomId;
  /** The newest seq that the client had when it first tried. */
  seen?: Seq | null;
  /** The message. */
  seq: Seq;
  type: string;
}

/** One event of a room, flat; the fields that are there depend on `kind`. */
export interface EventFrame {
  /** `room`: whether it is closed for writing from now on. */
  archived?: boolean | null;
  /** When. */
  at: Time;
  /** `message`: the files that it carries. */
  attachments?: Attachment[];
  /** `message`, `edit`: the text. */
  body?: string | null;
  /** `member`, `room`: how. */
  change?: Change | null;
  /** The idempotency key of the write. */
  client_id: ClientId;
  /** `reaction`: which. */
  emoji?: string | null;
  /** Who. */
  from: UserId;
  /** What sort. */
  kind: Kind;
  /** `message`: who it names. */
  mentions?: UserId[];
  /** `room`: the name from now on. */
  name?: string | null;
  /** `reaction`: taken back. */
  remove?: boolean;
  /** `message`: what it answers. */
  reply_to?: Seq | null;
  /** `member`: the role from now on. */
  role?: Role | null;
  /** Where. */
  room: RoomId;
  /** Its place. */
  seq: Seq;
  /** `edit`, `delete`, `reaction`: the message. */
  target?: Seq | null;
  /** `room`: an announcement. */
  text?: string | null;
  /** `room`: the topic from now on. */
  topic?: string | null;
  /** `member`: until when they are muted. */
  until?: Time | null;
  /** `member`: whose. */
  user?: UserId | null;
  /** `room`: who may find it from now on. */
  visibility?: Visibility | null;
}

/** The first frame. */
export interface Hello {
  /** What the client calls itself. */
  client?: string | null;
  /** The newest seq that the client has of each room. */
  cursors: Record<string, Seq>;
  /** Echoed in the answer. */
  id?: string | null;
  type: string;
}

/** The sort of an entry, as the store and the wire name it. */
export type Kind = "message" | "edit" | "delete" | "reaction" | "member" | "room";

/** Move marks forwards. */
export interface Mark {
  /** Delivered up to here. */
  delivered?: Seq | null;
  /** Echoed in the answer. */
  id?: string | null;
  /** Read up to here. */
  read?: Seq | null;
  /** Where. */
  room: RoomId;
  type: string;
}

/** A file that messages carry. */
export type MediaId = string;

/** What a file is, by what is in it. */
export type MediaKind = "picture" | "voice" | "audio" | "video" | "file";

/** How a membership changed. */
export type MemberChange = "joined" | "left" | "removed" | "banned" | "unbanned" | "role" | "muted";

/** A request did not happen. */
export interface Nack {
  /** The write. */
  client_id?: ClientId | null;
  /** The stable word. */
  code: Code;
  /** For people. */
  detail?: string;
  /** The field at fault. */
  field?: string | null;
  /** The request's id. */
  id?: string | null;
  /** Whether to try again. */
  retry: Retry;
  /** How long to wait. */
  retry_after_ms?: number | null;
  /** Where. */
  room?: RoomId | null;
}

/** What a member wants to be told of. */
export type Notify = "all" | "mentions" | "none";

/** Are you there? */
export interface Ping {
  /** Echoed in the answer. */
  id?: string | null;
  type: string;
}

/** Set a reaction, or take it back. */
export interface React {
  /** The idempotency key. */
  client_id: ClientId;
  /** Which. */
  emoji: string;
  /** Echoed in the answer. */
  id?: string | null;
  /** Take it back. */
  remove?: boolean;
  /** Where. */
  room: RoomId;
  /** The newest seq that the client had when it first tried. */
  seen?: Seq | null;
  /** The message. */
  seq: Seq;
  type: string;
}

/** What happens to a cursor. */
export type Resume = "replay" | "gap";

/** Whether to try again. */
export type Retry = "no" | "same" | "later";

/** What a member may do. */
export type Role = "reader" | "member" | "admin" | "owner";

/** What kind of change of a room. */
export type RoomChangeKind = "created" | "changed" | "announcement" | "deleted";

/** A conversation. */
export type RoomId = string;

/** What sort of room. */
export type RoomKind = "direct" | "group" | "channel";

/** A room appeared, changed for me, or is gone. */
export type RoomNotice = RoomView | {
  /** Always true. */
  gone: boolean;
  /** Which. */
  room: RoomId;
};

/** A room as one of its members sees it in a list. */
export interface RoomView {
  /** Delivered up to here. */
  delivered: Seq;
  /** Its last event. */
  head: Seq;
  /** What sort. */
  kind: RoomKind;
  /** Its name; empty for a direct room. */
  name: string;
  /** What I want to be told of. */
  notify: Notify;
  /** Read up to here. */
  read: Seq;
  /** What I may do. */
  role: Role;
  /** Which. */
  room: RoomId;
  /** Messages after `read`. */
  unread: number;
}

/** Say something. */
export interface Send {
  /** The files that it carries, up to 10: one's own, of that room, and ready. */
  attachments?: MediaId[];
  /** The text; may be empty with attachments. */
  body: string;
  /** The idempotency key. */
  client_id: ClientId;
  /** Echoed in the answer. */
  id?: string | null;
  /** Who it names. */
  mentions?: UserId[];
  /** The message it answers. */
  reply_to?: Seq | null;
  /** Where. */
  room: RoomId;
  /** The newest seq that the client had when it first tried. */
  seen?: Seq | null;
  type: string;
}

/** The place of an event in the log of its room: 1, 2, 3 … */
export type Seq = number;

/** One WebSocket connection. */
export type SessionId = string;

/** Whether somebody is there. */
export type Status = "online" | "away" | "offline";

/** Send me what is after this. */
export interface Sync {
  /** The newest seq that the client has. */
  after: Seq;
  /** Echoed in the answer. */
  id?: string | null;
  /** Where. */
  room: RoomId;
  type: string;
}

/** A time as RFC 3339 in UTC with milliseconds. */
export type Time = string;

/** I type, or stopped. */
export interface Typing {
  /** Echoed in the answer. */
  id?: string | null;
  /** Whether. */
  on: boolean;
  /** Where. */
  room: RoomId;
  type: string;
}

/** A person or a bot. */
export type UserId = string;

/** Who may find a room and join it. */
export type Visibility = "private" | "public";

/** Whose presence and typing this device shows; each list replaces the one before. */
export interface Watch {
  /** Echoed in the answer. */
  id?: string | null;
  /** The typing in which rooms. */
  rooms?: RoomId[] | null;
  type: string;
  /** Whose presence. */
  users?: UserId[] | null;
}

/** The first frame of a session. */
export interface Welcome {
  /** Which of your logins this is. */
  device: DeviceId;
  /** The request's id. */
  id?: string | null;
  /** What the server takes. */
  limits: AnnouncedLimits;
  /** What happens to each of your cursors. */
  resume: Record<string, Resume>;
  /** Your rooms. */
  rooms: RoomView[];
  /** This connection. */
  session: SessionId;
  /** The server's clock. */
  time: Time;
  /** Who you are. */
  user: UserId;
}
