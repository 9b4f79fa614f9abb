// The frames of the WebSocket.
// Made from docs/asyncapi.json by `npm run generate`: not to be changed by hand.

import type { ClientId, Code, Delete, Edit, EventFrame, Hello, Mark, Nack, Ping, React, RoomId, RoomNotice, Send, Seq, Status, Sync, Time, Typing, UserId, Watch, Welcome } from "./live.js";

/** The first frame. */
export type ClientHello = Hello & {
  type: "hello";
};

/** Say something. */
export type ClientSend = Send & {
  type: "send";
};

/** Give a message another text. */
export type ClientEdit = Edit & {
  type: "edit";
};

/** Take a message back. */
export type ClientDelete = Delete & {
  type: "delete";
};

/** Set a reaction, or take it back. */
export type ClientReact = React & {
  type: "react";
};

/** Move marks forwards. */
export type ClientMark = Mark & {
  type: "mark";
};

/** I type, or stopped. */
export type ClientTyping = Typing & {
  type: "typing";
};

/** Whose presence and typing this device shows; each list replaces the one before. */
export type ClientWatch = Watch & {
  type: "watch";
};

/** Send me what is after this. */
export type ClientSync = Sync & {
  type: "sync";
};

/** Are you there? */
export type ClientPing = Ping & {
  type: "ping";
};

/** The answer to `hello`. */
export type ServerWelcome = Welcome & {
  type: "welcome";
};

/** Something happened in a room. */
export type ServerEvent = EventFrame & {
  type: "event";
};

/** A write is durable. */
export type ServerAck = {
  /** When it was accepted. */
  at: Time;
  /** The write. */
  client_id: ClientId;
  /** The request's id. */
  id?: string | null;
  /** It had happened before. */
  repeat?: boolean;
  /** Where. */
  room: RoomId;
  /** Its place in the log. */
  seq: Seq;
  type: "ack";
};

/** A request did not happen and will not happen by itself. */
export type ServerNack = Nack & {
  type: "nack";
};

/** Somebody's marks moved forwards. */
export type ServerMarks = {
  /** Delivered up to here. */
  delivered?: Seq | null;
  /** Read up to here. */
  read?: Seq | null;
  /** Where. */
  room: RoomId;
  type: "marks";
  /** Whose. */
  user: UserId;
};

/** Somebody types, or stopped. */
export type ServerTyping = {
  /** Whether. */
  on: boolean;
  /** Where. */
  room: RoomId;
  type: "typing";
  /** Who. */
  user: UserId;
};

/** Whether somebody is there. */
export type ServerPresence = {
  /** When they were last seen, if they are not. */
  last_seen?: Time | null;
  /** Whether. */
  status: Status;
  type: "presence";
  /** Who. */
  user: UserId;
};

/** From here on the room is live. */
export type ServerSynced = {
  /** The request's id. */
  id?: string | null;
  /** Which. */
  room: RoomId;
  /** The last event that was sent. */
  seq: Seq;
  type: "synced";
};

/** Too much to push. */
export type ServerGap = {
  /** The first missing event. */
  from: Seq;
  /** The request's id. */
  id?: string | null;
  /** Which. */
  room: RoomId;
  /** The last missing event. */
  to: Seq;
  type: "gap";
};

/** This connection read too slowly; these rooms are not live any more. */
export type ServerLagged = {
  /** Each room and its head. */
  rooms: Record<string, Seq>;
  type: "lagged";
};

/** A room appeared, changed for me, or is gone. */
export type ServerRoom = RoomNotice & {
  type: "room";
};

/** Come back later. */
export type ServerReconnect = {
  /** After so many milliseconds. */
  after_ms: number;
  /** Why. */
  reason: string;
  type: "reconnect";
};

/** The connection did something wrong. */
export type ServerError = {
  /** Whether the connection ends. */
  close: boolean;
  /** The stable word. */
  code: Code;
  /** For people. */
  detail: string;
  /** The field at fault. */
  field?: string | null;
  type: "error";
};

/** The answer to `ping`. */
export type ServerPong = {
  /** The request's id. */
  id?: string | null;
  type: "pong";
};

/** What a client says. */
export type ClientFrame =
  | ClientHello
  | ClientSend
  | ClientEdit
  | ClientDelete
  | ClientReact
  | ClientMark
  | ClientTyping
  | ClientWatch
  | ClientSync
  | ClientPing;

/** What the server says; a client ignores types that it does not know. */
export type ServerFrame =
  | ServerWelcome
  | ServerEvent
  | ServerAck
  | ServerNack
  | ServerMarks
  | ServerTyping
  | ServerPresence
  | ServerSynced
  | ServerGap
  | ServerLagged
  | ServerRoom
  | ServerReconnect
  | ServerError
  | ServerPong;
