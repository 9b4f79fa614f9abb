// The public interface: what a program that chats can say to this package and hear from it.

import type { RookeryError } from "./errors.js";
import type { ServerMarks, ServerPresence, ServerTyping } from "./generated/frames.js";
import type { EventFrame, MediaId, Notify, Role, RoomId, RoomKind, Seq, UserId, Visibility } from "./generated/live.js";
import type { Device, Login, Media, MediaLink, Message, NewLogin, Receipt, User, Voice } from "./generated/people.js";
import type { Readable } from "./media/media.js";
import type { MediaSource } from "./media/source.js";
import type { NewFile, UploadOptions, UploadProgress } from "./media/upload.js";
import type { OutboxStore } from "./outbox/store.js";
import type { Rest } from "./rest/index.js";
import type { Network } from "./live/network.js";
import type { OpenSocket } from "./live/socket.js";

/** What a client is made with. */
export interface ClientOptions {
  /** Where the server is: `https://chat.example`. In a browser the page's own origin when left out. */
  url?: string;
  /** The token of an earlier login; `logIn` gets a new one. */
  token?: string;
  /** Whose token it is, if that is known: then messages that wait are shown before the first connection. */
  user?: UserId;
  /** What the client calls itself, at most 64 characters. */
  name?: string;
  /**
   * Per room the last event that was dealt with, as `client.cursors()` said it at the end of an earlier life: what
   * happened since is told as `event`. Rooms that are not named begin with what happens from now on.
   */
  cursors?: Readonly<Record<RoomId, Seq>>;
  /** Whether to tell the others that what was told here is delivered. Not when left out. */
  confirmDelivery?: boolean;
  /** Where messages wait that have no answer yet. IndexedDB where there is one, else memory. */
  outbox?: OutboxStore;
  /** How to open a WebSocket. The global `WebSocket`, or in `@rookery/client/node` one of its own. */
  socket?: OpenSocket;
  /** Whether there is a network, where neither browser nor Node is: it shortens waits, nothing depends on it. */
  network?: Network;
  /** How long to wait for a server that says nothing. */
  patience?: Patience;
  /** How to ask over HTTP. The global `fetch`. */
  fetch?: typeof fetch;
  /** Numbers from 0 to 1 for the jitter. `Math.random`. */
  random?: () => number;
}

/** How long to wait for a server that says nothing, in milliseconds. */
export interface Patience {
  /** From the first step to `welcome`: 20,000. */
  connectMs?: number;
  /** After so much silence it is asked whether it is there: 25,000. A browser does not show the server's own pings. */
  silenceMs?: number;
  /** So long an answer may take: then the connection is held for lost, or the message is sent again: 15,000. */
  answerMs?: number;
  /** What another tab put into a shared outbox and did not get rid of for so long is sent from here: 30,000. */
  othersMs?: number;
}

/** How the connection is. A UI can show it as it is. */
export type ConnectionState =
  /** Not started, or stopped by `stop`. */
  | { state: "stopped" }
  /** On the way: a ticket, the handshake, `welcome`. `attempt` counts from 1 since the last time that it was live. */
  | { state: "connecting"; attempt: number }
  /** Connected. What was missed comes as events right now or has come. */
  | { state: "live"; since: Date }
  /** The next attempt is at `until`, because of `reason`. `client.retryNow()` shortens it. */
  | { state: "waiting"; until: Date; attempt: number; reason: RookeryError }
  /** The browser says that there is no network; goes on by itself when there is. */
  | { state: "offline" }
  /** The login is of no use any more (or `logOut`): log in again. Messages that wait stay in the outbox. */
  | { state: "logged_out"; reason: RookeryError }
  /**
   * The server closed with a code after which coming back by itself is of no use: 4010 (replaced by another
   * connection of this login) or one that says that this client is at fault. `start` tries again.
   */
  | { state: "ended"; closeCode: number; reason: RookeryError };

/** One event of a room. `kind` says which of the other fields are there. */
export type RoomEvent = EventFrame;

/** What goes along with a text. */
export interface SendOptions {
  /** The `seq` of the message that it answers. */
  replyTo?: Seq;
  /** The people that it names, at most 50. */
  mentions?: readonly UserId[];
  /**
   * Files that it carries, at most 10; then the text may be empty. It is sent when all of them are at the server. What
   * was uploaded with `client.media.upload` is given by its id.
   */
  attachments?: readonly (NewFile | MediaId)[];
}

/** A file of a message on its way. */
export interface OutgoingFile {
  /** Its name here. */
  readonly key: string;
  readonly name: string;
  readonly size: number;
  /** What the browser takes it for; empty if that is not known. */
  readonly type: string;
  readonly voice?: { readonly duration_ms: number; readonly waveform: readonly number[] };
  /** `lost`: its bytes were not kept over a reload. */
  readonly state: "waiting" | "uploading" | "ready" | "lost";
  /** Bytes that the server has. */
  readonly sent: number;
  /** Whether its bytes are in the outbox: if not, a reload before it is sent loses them. */
  readonly kept: boolean;
  /** Its name at the server, once that is known. */
  readonly media?: MediaId;
  /** Its bytes, while they are at hand. */
  readonly source?: MediaSource;
}

/** A message of one's own on its way. A new object whenever something about it changes. */
export interface Outgoing {
  readonly room: RoomId;
  /** Its name for ever, in every attempt and in the event that it becomes. */
  readonly client_id: string;
  readonly body: string;
  readonly reply_to?: Seq;
  readonly mentions?: readonly UserId[];
  readonly attachments?: readonly OutgoingFile[];
  /** When it was written, by this machine's clock. */
  readonly at: Date;
  /** `pending`: no answer yet; `sent`: it is in the log under `seq`; `failed`: refused for good, see `error`. */
  readonly state: "pending" | "sent" | "failed";
  readonly seq?: Seq;
  /** Why it failed, or why a `pending` one has to wait. */
  readonly error?: RookeryError;
  /** A `pending` one that the server refused for now is tried again at this time. */
  readonly retryAt?: Date;
}

/** A message that was given to `send`. */
export interface Sending {
  readonly client_id: string;
  /**
   * Kept when it is in the outbox: from then on it survives a reload (as far as the outbox does).
   * Rejects if the outbox cannot take it; then it is not sent.
   */
  readonly stored: Promise<void>;
  /**
   * Kept when the server has acknowledged it. Rejects with a `RookeryError` when it was refused for good, discarded, or
   * the client was stopped before (`stopped`: the message stays in the outbox).
   */
  readonly sent: Promise<Receipt>;
}

/** A room as a list shows it, kept current by events. A new object whenever something about it changes. */
export interface RoomSummary {
  readonly id: RoomId;
  readonly kind: RoomKind;
  /** Empty for a direct room: show `peer`. */
  readonly name: string;
  readonly topic?: string;
  /** Absent until the details of the room have been fetched. */
  readonly visibility?: Visibility;
  readonly archived: boolean;
  readonly members?: number;
  readonly peer?: User;
  readonly role: Role;
  readonly notify: Notify;
  /** The last event. */
  readonly head: Seq;
  /** Read up to here, by me. */
  readonly read: Seq;
  /** Messages after `read`. */
  readonly unread: number;
  /** As it is now, but for its reactions, which a `Timeline` follows. */
  readonly lastMessage?: Message;
  /** When it was made; absent until the details of the room have been fetched. */
  readonly createdAt?: string;
  /** `false` while what was missed is still being fetched. */
  readonly live: boolean;
}

/** The rooms that I am in. */
export interface Rooms {
  /** Newest activity first. A new array whenever something changes. */
  list(): readonly RoomSummary[];
  get(room: RoomId): RoomSummary | undefined;
  /** Kept when the list is complete for the first time. */
  readonly ready: Promise<void>;
}

/** The messages of one room, kept current by events, with one's own that are on the way. */
export interface Timeline {
  readonly room: RoomId;
  /** In ascending `seq`, without a hole between the first and the last. A new array whenever something changes. */
  readonly messages: readonly Message[];
  /**
   * Who came and went, what changed about the room and what operators announce: the `member` and `room` events between
   * these messages and after the last of all, ascending. Of very many only the last ones.
   */
  readonly notices: readonly EventFrame[];
  /** One's own that are not among `messages` yet, in the order in which they will be sent; failed ones too. */
  readonly outgoing: readonly Outgoing[];
  /** Whether there are older ones than the first of `messages`. */
  readonly hasOlder: boolean;
  /** Whether there are newer ones than the last of `messages` (after `loadAround`). */
  readonly hasNewer: boolean;
  readonly loading: boolean;
  /** The newest page. A second call while it is under way is the same one. */
  load(limit?: number): Promise<void>;
  /** The page before the first message. */
  loadOlder(limit?: number): Promise<void>;
  /** The page after the last message, as long as `hasNewer`. */
  loadNewer(limit?: number): Promise<void>;
  /** The messages around one, in place of those that are here. */
  loadAround(seq: Seq, limit?: number): Promise<void>;
  /** Forgets all but the newest of `messages`, for a screen that shows its end; older ones can be loaded again. */
  trim(newest: number): void;
  /** Tells of every change, until the function that comes back is called. */
  onChange(listener: () => void): () => void;
  /** The timeline is not needed any more: it is not kept current from here on. */
  close(): void;
}

/** Files of messages, to and from the server. */
export interface MediaClient {
  /**
   * Uploads a file to a room, in parts, until the server has all of it: what fails for now is tried again until `signal`
   * says otherwise. With the `id` of an upload that was begun in an earlier life it goes on where that has got. Kept with
   * what the server found the file to be; put its `id` into the `attachments` of a message within a day.
   */
  upload(room: RoomId, file: NewFile, options?: UploadOptions): Promise<Media>;
  /** What is known of a file. */
  get(media: MediaId): Promise<Media>;
  /** All bytes of a file, in memory: for pictures and what is small. */
  content(media: Readable, signal?: AbortSignal): Promise<Blob>;
  /** The small picture of a picture. */
  thumbnail(media: MediaId, signal?: AbortSignal): Promise<Blob>;
  /** An address to save or play a file from, for five minutes and as long as one may see it. */
  link(media: MediaId): Promise<MediaLink>;
  /** Deletes a file of one's own that no message carries. */
  remove(media: MediaId): Promise<void>;
}

/** What a client tells. */
export interface ClientEvents {
  connection: [ConnectionState];
  /** Every event of every room of mine: each exactly once, per room in order and without a hole. */
  event: [RoomEvent];
  /** A message of mine changed its state. `gone`: it was discarded. */
  outgoing: [Outgoing, { gone: boolean }];
  /** The list of rooms changed. */
  rooms: [readonly RoomSummary[]];
  /** I was added to a room, or made one, here or elsewhere. */
  joined: [RoomSummary];
  /** I left a room, was removed from it, or it was deleted. */
  left: [RoomId];
  /** All that was missed in a room has been told; from here on it is live. */
  synced: [RoomId];
  /**
   * The server has less of a room than was told (a backup was restored): what was beyond `to` is gone. Timelines load
   * themselves again.
   */
  forgotten: [{ room: RoomId; to: Seq }];
  typing: [ServerTyping];
  presence: [ServerPresence];
  /** Somebody's read or delivered mark moved. */
  marks: [ServerMarks];
  /** Something that needs nobody's action went wrong: a complaint of the server, an outbox that cannot be written. */
  problem: [RookeryError];
}

/** One login at one server. Made by `createClient`. */
export interface Client {
  /** Every route, typed. */
  readonly rest: Rest;
  readonly rooms: Rooms;
  /** Files. */
  readonly media: MediaClient;
  readonly connection: ConnectionState;
  /** Who I am, once that is known (after `logIn` or the first connection). */
  readonly user: UserId | undefined;
  /** Which of my logins this is. */
  readonly device: string | undefined;
  /** What to keep in order to come back without a password. */
  readonly token: string | undefined;

  /** Logs in; does not connect yet. */
  logIn(login: NewLogin): Promise<Login>;
  /** Ends the login at the server and stops. What waits in the outbox is dropped unless `keepOutbox`. */
  logOut(options?: { keepOutbox?: boolean }): Promise<void>;
  /** Connects and stays connected until `stop`. Kept when live for the first time; rejects when that cannot be. */
  start(): Promise<void>;
  /** Closes the connection; the outbox keeps what waits. `start` goes on from here. */
  stop(): Promise<void>;
  /** Ends a wait and tries now. */
  retryNow(): void;

  /**
   * Puts a message into the outbox: it is sent now or as soon as that is possible, per room one after the other. Throws
   * `busy` when 10,000 wait already.
   */
  send(room: RoomId, body: string, options?: SendOptions): Sending;
  /** One's own messages that have no answer or failed, oldest first; of all rooms or of one. */
  outgoing(room?: RoomId): readonly Outgoing[];
  /** Sends a failed one again. */
  resend(client_id: string): void;
  /** Forgets a failed or pending one. One that was under way may still appear. */
  discard(client_id: string): Promise<void>;

  /** The messages of a room. Each call makes one; `close` it. */
  timeline(room: RoomId): Timeline;
  /** Moves my read mark forwards, to the end of what was told if `seq` is left out. Sent when live, the furthest only. */
  markRead(room: RoomId, seq?: Seq): void;
  /** Tells the room that I type, at most every few seconds; `false`, or sending, says that I stopped. */
  typing(room: RoomId, on?: boolean): void;
  /** Whose presence and which rooms' typing to tell; each list replaces the one before, and holds over reconnects. */
  watch(what: { users?: readonly UserId[]; rooms?: readonly RoomId[] }): void;
  /** The last that was told about somebody who is watched. */
  presence(user: UserId): ServerPresence | undefined;
  /** Per room the last event that was told. */
  cursors(): Record<RoomId, Seq>;

  /** Listens, until the function that comes back is called. */
  on<K extends keyof ClientEvents>(name: K, listener: (...told: ClientEvents[K]) => void): () => void;
}

export type { Device, Login, Media, MediaLink, MediaSource, Message, NewFile, Receipt, UploadOptions, UploadProgress, User, Voice };
