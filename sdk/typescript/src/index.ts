// What this package gives to programs: `createClient`, the interfaces, the types of the wire, the one class of errors.

export type * from "./api.js";
export { createClient } from "./create.js";
export { RookeryError, type ErrorCode, type ErrorDetails } from "./errors.js";
export type * as Admin from "./generated/admin.js";
export type * from "./generated/frames.js";
export type * from "./generated/live.js";
export type * from "./generated/people.js";
export type { Network } from "./live/network.js";
export { type Ended, type OpenSocket, type Socket, type SocketListener, standardSocket, SUBPROTOCOL } from "./live/socket.js";
export { IndexedDbOutbox } from "./outbox/indexeddb.js";
export { usableName, type PartSource } from "./media/source.js";
export { MemoryOutbox, type OutboxEntry, type OutboxFile, type OutboxFiles, type OutboxStore } from "./outbox/store.js";
export type { Readable } from "./media/media.js";
export type { Page, Paging, Rest } from "./rest/index.js";
export type { RoomRoutes, Window } from "./rest/rooms.js";
