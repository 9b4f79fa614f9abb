// The words of the contract that this client uses, from the one package that knows it.

export { createClient, RookeryError, usableName } from "@rookery/client";
export type {
  Attachment, Client, ConnectionState, Device, Me, Member, Message, NewFile, Notify, Outgoing, OutgoingFile, Role, Room, RoomEvent, RoomId, RoomSummary, Seq,
  Timeline, User, UserId, Visibility,
} from "@rookery/client";
