// The routes that people use: their paths, and what goes in and out.
// Made from docs/openapi.json by `npm run generate`: not to be changed by hand.

import type { Contact, Device, EventPage, History, Login, Marks, MarksChange, Me, MeChange, Media, MediaLink, Member, MemberWish, MessageChange, NewAccount, NewLogin, NewMedia, NewMessage, NewRoom, Notifications, Outcome, PasswordChange, PasswordProof, ReactionList, Receipt, Room, RoomChange, Ticket, User } from "./people.js";

/** What all paths begin with. */
export const ROOT = "/api/v1/";

/** The path after that by the name of the operation, which begins with the method. */
export const ROUTES = {
  post_accounts: "accounts",
  post_logins: "logins",
  get_logins: "logins",
  delete_logins: "logins",
  delete_logins_current: "logins/current",
  delete_logins_device: "logins/{device}",
  get_me: "me",
  patch_me: "me",
  delete_me: "me",
  post_me_password: "me/password",
  get_users_user: "users/{user}",
  get_users: "users",
  post_tickets: "tickets",
  get_contacts: "contacts",
  get_contacts_user: "contacts/{user}",
  put_contacts_user: "contacts/{user}",
  delete_contacts_user: "contacts/{user}",
  get_blocks: "blocks",
  get_blocks_user: "blocks/{user}",
  put_blocks_user: "blocks/{user}",
  delete_blocks_user: "blocks/{user}",
  post_rooms: "rooms",
  get_rooms: "rooms",
  put_direct_user: "direct/{user}",
  get_rooms_room: "rooms/{room}",
  patch_rooms_room: "rooms/{room}",
  delete_rooms_room: "rooms/{room}",
  get_rooms_room_members: "rooms/{room}/members",
  put_rooms_room_members_user: "rooms/{room}/members/{user}",
  delete_rooms_room_members_user: "rooms/{room}/members/{user}",
  get_rooms_room_messages: "rooms/{room}/messages",
  post_rooms_room_messages: "rooms/{room}/messages",
  get_rooms_room_events: "rooms/{room}/events",
  get_rooms_room_outcomes_client_id: "rooms/{room}/outcomes/{client_id}",
  get_rooms_room_messages_seq_reactions: "rooms/{room}/messages/{seq}/reactions",
  patch_rooms_room_messages_seq: "rooms/{room}/messages/{seq}",
  delete_rooms_room_messages_seq: "rooms/{room}/messages/{seq}",
  put_rooms_room_messages_seq_reactions_emoji: "rooms/{room}/messages/{seq}/reactions/{emoji}",
  delete_rooms_room_messages_seq_reactions_emoji: "rooms/{room}/messages/{seq}/reactions/{emoji}",
  put_rooms_room_marks: "rooms/{room}/marks",
  put_rooms_room_notifications: "rooms/{room}/notifications",
  post_rooms_room_media: "rooms/{room}/media",
  put_media_media_parts_part: "media/{media}/parts/{part}",
  post_media_media_complete: "media/{media}/complete",
  get_media_media: "media/{media}",
  delete_media_media: "media/{media}",
  get_media_media_content: "media/{media}/content",
  get_media_media_thumbnail: "media/{media}/thumbnail",
  post_media_media_links: "media/{media}/links",
} as const;

/** What goes into each operation and what comes out. */
export interface Routes {
  /** Make an account */
  post_accounts: {
    path: {  };
    query: {  };
    body: NewAccount;
    answer: User;
  };
  /** Log in */
  post_logins: {
    path: {  };
    query: {  };
    body: NewLogin;
    answer: Login;
  };
  /** My logins */
  get_logins: {
    path: {  };
    query: { limit?: number; after?: string };
    body: undefined;
    answer: {
      items: Device[];
      /** The `after` to go on with. */
      next: string | null;
    };
  };
  /** Log out everywhere else */
  delete_logins: {
    path: {  };
    query: {  };
    body: undefined;
    answer: undefined;
  };
  /** Log out here */
  delete_logins_current: {
    path: {  };
    query: {  };
    body: undefined;
    answer: undefined;
  };
  /** Log out one login */
  delete_logins_device: {
    path: { device: string };
    query: {  };
    body: undefined;
    answer: undefined;
  };
  /** Who I am */
  get_me: {
    path: {  };
    query: {  };
    body: undefined;
    answer: Me;
  };
  /** Change my profile */
  patch_me: {
    path: {  };
    query: {  };
    body: MeChange;
    answer: Me;
  };
  /** End my account */
  delete_me: {
    path: {  };
    query: {  };
    body: PasswordProof;
    answer: undefined;
  };
  /** Change my password; every other login ends */
  post_me_password: {
    path: {  };
    query: {  };
    body: PasswordChange;
    answer: undefined;
  };
  /** One user */
  get_users_user: {
    path: { user: string };
    query: {  };
    body: undefined;
    answer: User;
  };
  /** Find users */
  get_users: {
    path: {  };
    query: { query: string; limit?: number; after?: string };
    body: undefined;
    answer: {
      items: User[];
      /** The `after` to go on with. */
      next: string | null;
    };
  };
  /** A ticket for the handshake of a WebSocket */
  post_tickets: {
    path: {  };
    query: {  };
    body: undefined;
    answer: Ticket;
  };
  /** My contacts and invitations */
  get_contacts: {
    path: {  };
    query: { limit?: number; after?: string };
    body: undefined;
    answer: {
      items: Contact[];
      /** The `after` to go on with. */
      next: string | null;
    };
  };
  /** How I stand with somebody */
  get_contacts_user: {
    path: { user: string };
    query: {  };
    body: undefined;
    answer: Contact;
  };
  /** Invite, or accept an invitation */
  put_contacts_user: {
    path: { user: string };
    query: {  };
    body: undefined;
    answer: Contact;
  };
  /** Cancel, refuse or remove */
  delete_contacts_user: {
    path: { user: string };
    query: {  };
    body: undefined;
    answer: undefined;
  };
  /** Whom I block */
  get_blocks: {
    path: {  };
    query: { limit?: number; after?: string };
    body: undefined;
    answer: {
      items: User[];
      /** The `after` to go on with. */
      next: string | null;
    };
  };
  /** Whether I block somebody */
  get_blocks_user: {
    path: { user: string };
    query: {  };
    body: undefined;
    answer: User;
  };
  /** Block somebody */
  put_blocks_user: {
    path: { user: string };
    query: {  };
    body: undefined;
    answer: User;
  };
  /** Unblock somebody */
  delete_blocks_user: {
    path: { user: string };
    query: {  };
    body: undefined;
    answer: undefined;
  };
  /** Make a group or a channel */
  post_rooms: {
    path: {  };
    query: {  };
    body: NewRoom;
    answer: Room;
  };
  /** My rooms, newest activity first; or public ones */
  get_rooms: {
    path: {  };
    query: { public?: "0" | "1"; query?: string; limit?: number; after?: string };
    body: undefined;
    answer: {
      items: Room[];
      /** The `after` to go on with. */
      next: string | null;
    };
  };
  /** The direct room with somebody */
  put_direct_user: {
    path: { user: string };
    query: {  };
    body: undefined;
    answer: Room;
  };
  /** One room */
  get_rooms_room: {
    path: { room: string };
    query: {  };
    body: undefined;
    answer: Room;
  };
  /** Change a room */
  patch_rooms_room: {
    path: { room: string };
    query: {  };
    body: RoomChange;
    answer: Room;
  };
  /** End a room */
  delete_rooms_room: {
    path: { room: string };
    query: {  };
    body: undefined;
    answer: undefined;
  };
  /** Who is in it, owners first */
  get_rooms_room_members: {
    path: { room: string };
    query: { limit?: number; after?: string };
    body: undefined;
    answer: {
      items: Member[];
      /** The `after` to go on with. */
      next: string | null;
    };
  };
  /** Join, add somebody, change a role, mute */
  put_rooms_room_members_user: {
    path: { room: string; user: string };
    query: {  };
    body: MemberWish;
    answer: Member;
  };
  /** Leave, take somebody out, ban, lift a ban */
  delete_rooms_room_members_user: {
    path: { room: string; user: string };
    query: { ban?: "0" | "1"; unban?: "0" | "1" };
    body: undefined;
    answer: undefined;
  };
  /** Messages in their present state */
  get_rooms_room_messages: {
    path: { room: string };
    query: { before?: number; after?: number; around?: number; notices?: "0" | "1"; limit?: number };
    body: undefined;
    answer: History;
  };
  /** Say something */
  post_rooms_room_messages: {
    path: { room: string };
    query: {  };
    body: NewMessage;
    answer: Receipt;
  };
  /** The log */
  get_rooms_room_events: {
    path: { room: string };
    query: { after?: number; limit?: number };
    body: undefined;
    answer: EventPage;
  };
  /** What became of a write of mine */
  get_rooms_room_outcomes_client_id: {
    path: { room: string; client_id: string };
    query: {  };
    body: undefined;
    answer: Outcome;
  };
  /** Who reacts, and how */
  get_rooms_room_messages_seq_reactions: {
    path: { room: string; seq: number };
    query: {  };
    body: undefined;
    answer: ReactionList;
  };
  /** Give a message of mine another text */
  patch_rooms_room_messages_seq: {
    path: { room: string; seq: number };
    query: {  };
    body: MessageChange;
    answer: Receipt;
  };
  /** Take a message back */
  delete_rooms_room_messages_seq: {
    path: { room: string; seq: number };
    query: { client_id?: string };
    body: undefined;
    answer: undefined;
  };
  /** React */
  put_rooms_room_messages_seq_reactions_emoji: {
    path: { room: string; seq: number; emoji: string };
    query: {  };
    body: undefined;
    answer: undefined;
  };
  /** Take a reaction back */
  delete_rooms_room_messages_seq_reactions_emoji: {
    path: { room: string; seq: number; emoji: string };
    query: {  };
    body: undefined;
    answer: undefined;
  };
  /** Move my marks forwards */
  put_rooms_room_marks: {
    path: { room: string };
    query: {  };
    body: MarksChange;
    answer: Marks;
  };
  /** What I want to be told of */
  put_rooms_room_notifications: {
    path: { room: string };
    query: {  };
    body: Notifications;
    answer: Notifications;
  };
  /** Begin an upload */
  post_rooms_room_media: {
    path: { room: string };
    query: {  };
    body: NewMedia;
    answer: Media;
  };
  /** One part of an upload */
  put_media_media_parts_part: {
    path: { media: string; part: number };
    query: {  };
    body: undefined;
    answer: undefined;
  };
  /** All parts are there */
  post_media_media_complete: {
    path: { media: string };
    query: {  };
    body: undefined;
    answer: Media;
  };
  /** One file, and which of its parts are there */
  get_media_media: {
    path: { media: string };
    query: {  };
    body: undefined;
    answer: Media;
  };
  /** Delete a file that no message refers to */
  delete_media_media: {
    path: { media: string };
    query: {  };
    body: undefined;
    answer: undefined;
  };
  /** The file itself */
  get_media_media_content: {
    path: { media: string };
    query: { ticket?: string };
    body: undefined;
    answer: undefined;
  };
  /** A small picture of it */
  get_media_media_thumbnail: {
    path: { media: string };
    query: { ticket?: string };
    body: undefined;
    answer: undefined;
  };
  /** A link to it for five minutes */
  post_media_media_links: {
    path: { media: string };
    query: {  };
    body: undefined;
    answer: MediaLink;
  };
}
