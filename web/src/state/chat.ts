// Everything that belongs to one login: the client, and what screens follow of it.

import { type Accessor, createContext, createSignal, onCleanup, useContext } from "solid-js";
import { onceAFrame } from "../frames";
import { Blobs } from "../media/blobs";
import { player } from "../media/player";
import { clearTrays } from "../media/tray";
import { inOneLine } from "../media/words";
import { texts } from "../texts";
import { createMentions } from "./mentions";
import { createPresence, type Presences } from "./presence";
import { nameOf, People } from "./people";
import { type Client, type ConnectionState, type Me, type Message, RookeryError, type RoomId, type RoomSummary } from "./wire";

export interface Chat {
  readonly client: Client;
  readonly people: People;
  readonly me: Accessor<Me | undefined>;
  readonly setMe: (me: Me) => void;
  readonly rooms: Accessor<readonly RoomSummary[]>;
  /** Follows one room, and nothing else. */
  readonly room: (id: RoomId | undefined) => RoomSummary | undefined;
  readonly areRoomsKnown: Accessor<boolean>;
  readonly connection: Accessor<ConnectionState>;
  readonly opened: Accessor<RoomId | undefined>;
  readonly open: (room: RoomId | undefined) => void;
  /** How many messages that I have not read name me, or answer me. */
  readonly mentions: (room: RoomId) => number;
  readonly presences: Presences;
  /** Pictures and recordings that are in sight, or were lately. */
  readonly blobs: Blobs;
  /** Which dialog is open. */
  readonly panel: Accessor<Panel | undefined>;
  readonly setPanel: (panel: Panel | undefined) => void;
  /** Short words about what went wrong, for a few seconds. */
  readonly notice: Accessor<string>;
  readonly tell: (error: unknown) => void;
}

export type Panel = "new" | "settings" | "details";

const Context = createContext<Chat>();
export const ChatProvider = Context.Provider;

export function useChat(): Chat {
  const chat = useContext(Context);
  if (!chat) throw new Error("there is no chat here");
  return chat;
}

export function createChat(client: Client): Chat {
  const [me, setMe] = createSignal<Me>();
  const [areRoomsKnown, setRoomsKnown] = createSignal(false);
  const people = new People(client);
  const blobs = new Blobs();
  const { rooms, room } = followRooms(client, people);
  const [connection, setConnection] = createSignal<ConnectionState>(client.connection);
  const { opened, open } = createPlace();
  const mentions = createMentions(client, rooms);
  const presences = createPresence(client, rooms, opened);
  const [panel, setPanel] = createSignal<Panel>();
  const { notice, tell } = createNotices();

  const offConnection = client.on("connection", setConnection);
  const offLeft = client.on("left", (left) => {
    if (opened() === left) open(undefined);
  });
  void client.rooms.ready.then(() => setRoomsKnown(true));
  client.start().catch(() => {
    // What became of it is `connection`, which is shown.
  });
  client.rest
    .me()
    .then((mine) => {
      people.learn([mine]);
      setMe(mine);
    })
    .catch(() => {});
  onCleanup(() => {
    offConnection();
    offLeft();
    player.stop();
    blobs.clear();
    clearTrays();
    void client.stop();
  });
  return { client, people, me, setMe, rooms, room, areRoomsKnown, connection, opened, open, mentions, presences, blobs, panel, setPanel, notice, tell };
}

function followRooms(client: Client, people: People): Pick<Chat, "rooms" | "room"> {
  const [rooms, setRooms] = createSignal<readonly RoomSummary[]>(client.rooms.list());
  const update = onceAFrame(() => {
    const list = client.rooms.list();
    people.learn(list.flatMap((one) => (one.peer ? [one.peer] : [])));
    setRooms(list);
  });
  onCleanup(client.on("rooms", update));
  return {
    rooms,
    room: (id) => {
      rooms();
      return id === undefined ? undefined : client.rooms.get(id);
    },
  };
}

/** Which room is open is in the address, so that back and reload do what people expect. */
function createPlace(): Pick<Chat, "opened" | "open"> {
  const named = (): RoomId | undefined => /^#room=([0-9a-f-]{36})$/.exec(location.hash)?.[1];
  const [opened, setOpened] = createSignal(named());
  const follow = (): void => void setOpened(named());
  addEventListener("hashchange", follow);
  onCleanup(() => removeEventListener("hashchange", follow));
  return {
    opened,
    open: (room) => {
      if (room === opened()) return;
      history.pushState(null, "", room === undefined ? "#" : `#room=${room}`);
      setOpened(room);
    },
  };
}

function createNotices(): Pick<Chat, "notice" | "tell"> {
  const [notice, setNotice] = createSignal("");
  let timer: ReturnType<typeof setTimeout> | undefined;
  return {
    notice,
    tell: (error) => {
      clearTimeout(timer);
      setNotice(typeof error === "string" ? error : wordsFor(error));
      timer = setTimeout(() => setNotice(""), 6_000);
    },
  };
}

/** What people are told of an error. What the server says about a field is better than what we could. */
export function wordsFor(error: unknown): string {
  if (!(error instanceof RookeryError)) return texts.problem.other;
  const detail = error.fields.map((field) => field.detail).filter(Boolean).join(" ");
  if (detail) return detail;
  return (texts.problem as Record<string, string>)[error.code] ?? texts.problem.other;
}

export function titleOf(room: RoomSummary): string {
  return room.kind === "direct" ? nameOf(room.peer) : room.name;
}

/** One line that stands for a message in a list. */
export function snippet(chat: Chat, message: Message, isDirect: boolean): string {
  const body = message.deleted ? texts.deletedMessage : inOneLine(message);
  if (message.from === chat.client.user) return `${texts.you}: ${body}`;
  return isDirect ? body : `${chat.people.name(message.from)}: ${body}`;
}
