// The words of the contract that this client uses, from the one package that knows it.

export { createClient, RookeryError } from "@rookery/client";
export type {
  Client, ConnectionState, Device, Me, Member, Message, Notify, Outgoing, Role, Room, RoomEvent, RoomId, RoomSummary, Seq,
  Timeline, User, UserId, Visibility,
} from "@rookery/client";
