// What the admin endpoint takes and gives.
// Made from docs/openapi.json and docs/asyncapi.json by `npm run generate`: not to be changed by hand.

import type { DeviceId, RoomId, RoomKind, Seq, SessionId, Time, UserId, Visibility } from "./live.js";
import type { Me, ServerRole } from "./people.js";

/** One end of a link. */
export interface AdminLink {
  /** Envelopes that were shed since the link is up. */
  shed: number;
  /** The node at the other end. */
  to: string;
  /** Envelopes that wait. */
  waiting: number;
  /** Bytes that wait. */
  waiting_bytes: number;
}

/** A node. */
export interface AdminNode {
  /** Where other nodes reach it. */
  address?: string | null;
  /** Whether it answers. */
  answers: boolean;
  /** Whether it gives its shards away. */
  draining: boolean;
  /** Whether it is the one that answers. */
  here: boolean;
  /** Which life of it. */
  incarnation?: number | null;
  /** Its links. */
  links: AdminLink[];
  /** Its name. */
  node: string;
  /** Rooms in memory. */
  rooms_awake?: number | null;
  /** Durable writes per second: an average in which what was ten seconds ago weighs a third. */
  sends_per_second?: number | null;
  /** Connections. */
  sessions?: number | null;
  /** Shards that are in use there. */
  shards?: number | null;
  /** Since when the one that answers sees it. */
  since?: Time | null;
  /** Where people reach it. */
  url?: string | null;
  /** What it runs. */
  version?: string | null;
}

/** A room, as operators see it. */
export interface AdminRoom {
  /** Whether it is closed for writing. */
  archived: boolean;
  /** Whether it is in memory. */
  awake: boolean;
  /** Since when. */
  created_at: Time;
  /** The epoch that it commits under. */
  epoch?: Seq | null;
  /** Its last event. */
  head: Seq;
  /** Which. */
  id: RoomId;
  /** How many hubs listen. */
  interest?: number | null;
  /** What sort. */
  kind: RoomKind;
  /** How many members. */
  members: number;
  /** Its name; empty for a direct room. */
  name: string;
  /** The node that should own it. */
  owner?: string | null;
  /** Whether it is shut because it panics. */
  quarantined: boolean;
  /** What waits in its mailbox. */
  queue?: number | null;
  /** Its shard. */
  shard: number;
  /** Who may find and join it. */
  visibility: Visibility;
}

/** What to change of a room. */
export interface AdminRoomChange {
  /** Close it for writing, or open it again. */
  archived?: boolean | null;
  /** Only `false`: let it try again. */
  quarantined?: boolean | null;
}

/** One connection. */
export interface AdminSession {
  /** What the client calls itself. */
  client?: string | null;
  /** Which login. */
  device: DeviceId;
  /** On which node. */
  node: string;
  /** Which. */
  session: SessionId;
  /** Since when. */
  since: Time;
  /** Whose. */
  user: UserId;
}

/** A shard. */
export interface AdminShard {
  /** Under which epoch. */
  epoch?: Seq | null;
  /** Who has claimed it. */
  holder?: string | null;
  /** Whether an operator moved it there. */
  moved: boolean;
  /** Who should own it. */
  owner?: string | null;
  /** Which. */
  shard: number;
  /** Why there. */
  why: string;
}

/** A user, as operators see them. */
export type AdminUser = Me & {
  /** How many logins they have. */
  devices: number;
  /** Whether an operator has shut them out. */
  disabled: boolean;
  /** When they were last connected. */
  last_seen?: Time | null;
  /** How many connections they have. */
  sessions: number;
};

/** What to change of a user. */
export interface AdminUserChange {
  /** Shut them out; every login ends. */
  disabled?: boolean | null;
  /** Another password; every login ends. */
  password?: string | null;
  /** What they may do on the whole server. */
  role?: ServerRole | null;
}

/** Where an announcement stands. */
export interface Announced {
  /** Its place in the log. */
  seq: Seq;
}

/** What to tell a room. */
export interface Announcement {
  /** The words. */
  text: string;
}

/** One line of the audit log. */
export interface AuditEntry {
  /** What. */
  action: string;
  /** A user's id, or `bootstrap`. */
  actor: string;
  /** When. */
  at: Time;
  /** More, for people. */
  detail: string;
  /** To whom or what. */
  subject: string;
}

/** Where to move a shard. */
export interface Move {
  /** Only say what would happen. */
  dry_run?: boolean;
  /** The node; without it the shard goes where it would live by itself. */
  to?: string | null;
}

/** What a move does, or would do. */
export interface Moved {
  /** The shard as it was before. */
  before: AdminShard;
  /** Whether that is another node than now. */
  changes: boolean;
  /** Whether it was only asked what would happen. */
  dry_run: boolean;
  /** The node that should own the shard then. */
  to: string;
}

/** A room's log as one node sees it. */
export interface NodeDigest {
  /** As above. */
  digest: string;
  /** The epoch under which it owns the room, if it does. */
  epoch?: Seq | null;
  /** The last event. */
  head: Seq;
  /** Which node. */
  node: string;
}

/** All nodes. */
export interface Nodes {
  /** By name. */
  items: AdminNode[];
}

/** How the server is. */
export interface Overview {
  /** This node's name. */
  node: string;
  /** Every node, by name; the numbers above are this node's. */
  nodes: AdminNode[];
  /** Rooms of this node that are shut because they panic. */
  quarantined: RoomId[];
  /** Rooms that have not ended. */
  rooms: number;
  /** Rooms in memory. */
  rooms_awake: number;
  /** Durable writes per second: an average in which what was ten seconds ago weighs a third. */
  sends_per_second: number;
  /** Connections. */
  sessions: number;
  /** Since when it runs. */
  started_at: Time;
  /** The store. */
  store: StoreOverview;
  /** Accounts that are not gone. */
  users: number;
  /** Its version. */
  version: string;
}

/** A room's log in 32 bytes. */
export interface RoomDigest {
  /** SHA-256, rolled over every event's seq, sender, client_id and content. */
  digest: string;
  /** The epoch that it commits under; 0 while it sleeps. */
  epoch: Seq;
  /** Its last event. */
  head: Seq;
  /** The same as every node sees it that answers. */
  nodes: NodeDigest[];
  /** Which room. */
  room: RoomId;
}

/** One setting, as operators see it. */
export interface Setting {
  /** Whether it may be changed while the server runs. */
  changeable: boolean;
  /** `section.key` */
  key: string;
  /** Where it comes from. */
  origin: string;
  /** Its value; `null`: not set. Secrets are not shown. */
  value: Value;
}

/** Every setting. */
export interface Settings {
  /** In alphabetical order. */
  items: Setting[];
}

/** Settings to change: `section.key` and value. */
export type SettingsChange = Record<string, unknown>;

/** How the store is. */
export interface StoreOverview {
  /** Appends that wait. */
  queue: number;
  /** `ok`, `full` when its queue takes nothing more, `unavailable` when it does not answer. */
  state: string;
}

export type Value = unknown;
