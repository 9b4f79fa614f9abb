// The client: one login at one server, and everything that belongs to it put together.

import type * as Api from "./api.js";
import { Emitter } from "./emitter.js";
import { ofNack, RookeryError } from "./errors.js";
import type { ServerFrame, ServerNack, ServerPresence, ServerWelcome } from "./generated/frames.js";
import type { EventFrame, RoomId, RoomView, Seq, UserId } from "./generated/live.js";
import type { Login, NewLogin } from "./generated/people.js";
import { Connection } from "./live/connection.js";
import { Following } from "./live/following.js";
import { pageNetwork } from "./live/network.js";
import { Signals } from "./live/signals.js";
import { type OpenSocket, standardSocket } from "./live/socket.js";
import { MediaFiles } from "./media/media.js";
import { Sender } from "./outbox/sender.js";
import { Http } from "./rest/http.js";
import { Rest } from "./rest/index.js";
import { RoomList } from "./rooms/list.js";
import { Marks } from "./rooms/marks.js";
import { address, usualOutbox } from "./surroundings.js";
import { RoomTimeline } from "./timeline/timeline.js";

/** What `hello` needs besides cursors. */
const HELLO_BYTES = 512;
const NAME = "rookery client for TypeScript";

/** One login at one server. */
export class RookeryClient implements Api.Client {
  readonly rest: Rest;
  readonly #media: MediaFiles;
  readonly #url: string;
  readonly #options: Api.ClientOptions;
  readonly #told = new Emitter<Api.ClientEvents>();
  readonly #connection: Connection;
  readonly #following: Following;
  readonly #rooms: RoomList;
  readonly #sender: Sender;
  readonly #marks: Marks;
  readonly #signals: Signals;
  readonly #timelines = new Set<RoomTimeline>();
  #token: string | undefined;
  #user: UserId | undefined;
  #device: string | undefined;
  #wasLive = false;
  #frameBytes = 65_536;

  constructor(options: Api.ClientOptions = {}) {
    this.#options = options;
    this.#url = address(options.url);
    this.#token = options.token;
    this.#user = options.user;
    const random = options.random ?? Math.random;
    const http = new Http({
      url: this.#url,
      fetch: options.fetch ?? ((input, init) => fetch(input, init)),
      token: () => this.#token,
      loggedOut: (reason) => this.#connection.stop({ state: "logged_out", reason }),
    });
    this.rest = new Rest(http);
    this.#media = new MediaFiles(this.rest.media, random);
    this.#rooms = this.#makeRooms(random);
    this.#following = this.#makeFollowing(random);
    this.#sender = this.#makeSender(random);
    this.#marks = new Marks({ write: (frame) => this.#connection.send(frame) });
    this.#signals = new Signals({
      write: (frame) => this.#connection.send(frame),
      typing: (typing) => this.#told.emit("typing", typing),
      presence: (presence) => this.#told.emit("presence", presence),
    });
    this.#connection = this.#makeConnection(options.socket ?? standardSocket(), random);
  }

  get rooms(): Api.Rooms {
    return this.#rooms;
  }

  get media(): Api.MediaClient {
    return this.#media;
  }

  get connection(): Api.ConnectionState {
    return this.#connection.state;
  }

  get user(): UserId | undefined {
    return this.#user;
  }

  get device(): string | undefined {
    return this.#device;
  }

  get token(): string | undefined {
    return this.#token;
  }

  async logIn(login: NewLogin): Promise<Login> {
    const made = await this.rest.logIn(login);
    this.#connection.stop();
    this.#be(made.user.id);
    this.#token = made.token;
    this.#device = made.device.id;
    await this.#sender.read();
    return made;
  }

  async logOut({ keepOutbox = false }: { keepOutbox?: boolean } = {}): Promise<void> {
    const reason = new RookeryError("unauthenticated", "logged out here");
    // With its own token, which nobody else is to use from here on.
    const ended = this.#token === undefined ? Promise.resolve() : this.rest.endLogin("current");
    this.#connection.stop({ state: "logged_out", reason });
    try {
      await ended;
    } catch (error) {
      if (!(error instanceof RookeryError && error.code === "unauthenticated")) throw error;
    } finally {
      this.#token = this.#device = undefined;
      if (!keepOutbox) await this.#sender.clear();
      this.#be(undefined);
    }
  }

  async start(): Promise<void> {
    const live = new Promise<void>((resolve, reject) => {
      const decide = (state: Api.ConnectionState): boolean => {
        if (state.state === "live") resolve();
        else if (state.state === "logged_out" || state.state === "ended") reject(state.reason);
        else if (state.state === "stopped") reject(new RookeryError("stopped", "the client was stopped"));
        else return false;
        off();
        return true;
      };
      const off = this.on("connection", decide);
      this.#connection.start();
      // When it was connected before, nothing is told.
      if (this.#connection.state.state === "live") decide(this.#connection.state);
    });
    void this.#sender.read();
    return live;
  }

  async stop(): Promise<void> {
    this.#connection.stop();
    this.#sender.stop();
    await this.#sender.written();
  }

  retryNow(): void {
    this.#connection.retryNow();
  }

  send(room: RoomId, body: string, options?: Api.SendOptions): Api.Sending {
    this.#signals.say(room, false);
    return this.#sender.send(room, body, options);
  }

  outgoing(room?: RoomId): readonly Api.Outgoing[] {
    return this.#sender.outgoing(room);
  }

  resend(client_id: string): void {
    this.#sender.resend(client_id);
  }

  discard(client_id: string): Promise<void> {
    return this.#sender.discard(client_id);
  }

  timeline(room: RoomId): Api.Timeline {
    const timeline = new RoomTimeline(room, {
      messages: (of, window) => this.rest.rooms.messages(of, window),
      reactions: (of, seq) => this.rest.rooms.reactions(of, seq),
      outgoing: (of) => this.#sender.outgoing(of),
      user: () => this.#user,
      toldFrom: (of) => this.#following.start(of),
      problem: (error) => this.#told.emit("problem", error),
      closed: (closed) => this.#timelines.delete(closed),
    });
    this.#timelines.add(timeline);
    return timeline;
  }

  markRead(room: RoomId, seq: Seq | undefined = this.#following.cursor(room)): void {
    if (seq === undefined) return;
    this.#rooms.read(room, seq);
    this.#marks.move(room, { read: seq });
  }

  typing(room: RoomId, on = true): void {
    this.#signals.say(room, on);
  }

  watch(what: { users?: readonly UserId[]; rooms?: readonly RoomId[] }): void {
    this.#signals.watch(what);
  }

  presence(user: UserId): ServerPresence | undefined {
    return this.#signals.presence(user);
  }

  cursors(): Record<RoomId, Seq> {
    return this.#following.cursors();
  }

  on<K extends keyof Api.ClientEvents>(name: K, listener: (...told: Api.ClientEvents[K]) => void): () => void {
    return this.#told.on(name, listener);
  }

  #makeConnection(socket: OpenSocket, random: () => number): Connection {
    return new Connection({
      url: this.#url,
      socket,
      network: this.#options.network ?? pageNetwork(),
      random,
      patience: this.#options.patience,
      token: () => this.#token,
      ticket: async (signal) => (await this.rest.ticket(signal)).ticket,
      hello: () => {
        const cursors = this.#following.cursorsWithin(this.#frameBytes - HELLO_BYTES);
        return { type: "hello", cursors, client: this.#options.name ?? NAME };
      },
      welcomed: (welcome) => this.#welcomed(welcome),
      frame: (frame) => this.#frame(frame),
      lost: () => this.#lost(),
      changed: (state) => this.#told.emit("connection", state),
      problem: (error) => this.#told.emit("problem", error),
    });
  }

  #makeFollowing(random: () => number): Following {
    return new Following(
      {
        write: (frame) => void this.#connection.send(frame),
        events: (room, after, signal) => this.rest.rooms.events(room, after, 200, signal),
        random,
        show: (event) => this.#show(event),
        appeared: (view) => this.#appeared(view),
        startFrom: (view) => this.#startFrom(view),
        gone: (room) => this.#gone(room),
        live: (room) => {
          this.#rooms.live(room);
          for (const timeline of this.#of(room)) timeline.live();
          this.#told.emit("synced", room);
        },
        forgot: (room, to) => {
          this.#rooms.forgot(room, to);
          this.#told.emit("forgotten", { room, to });
          for (const timeline of this.#of(room)) timeline.reload();
        },
        problem: (error) => this.#told.emit("problem", error),
      },
      this.#options.cursors ?? {},
    );
  }

  #makeRooms(random: () => number): RoomList {
    return new RoomList({
      mine: (paging, signal) => this.rest.rooms.mine(paging, signal),
      room: (room, signal) => this.rest.rooms.get(room, signal),
      user: () => this.#user,
      isLive: (room) => this.#following.isLive(room),
      random,
      changed: () => this.#told.emit("rooms", this.#rooms.list()),
      problem: (error) => this.#told.emit("problem", error),
    });
  }

  #makeSender(random: () => number): Sender {
    return new Sender({
      store: this.#options.outbox ?? usualOutbox(),
      random,
      patience: this.#options.patience,
      account: () => (this.#user === undefined ? undefined : `${this.#url} ${this.#user}`),
      user: () => this.#user,
      write: (frame) => this.#connection.send(frame),
      cursor: (room) => this.#following.cursor(room),
      changed: (outgoing, gone) => {
        for (const timeline of this.#of(outgoing.room)) timeline.changed();
        this.#told.emit("outgoing", outgoing, { gone });
      },
      problem: (error) => this.#told.emit("problem", error),
      upload: (room, file, options) => this.#media.upload(room, file, options),
      remove: (media) => this.#media.remove(media),
    });
  }

  #of(room: RoomId): RoomTimeline[] {
    return [...this.#timelines].filter((timeline) => timeline.room === room);
  }

  /** Whoever comes after somebody else finds nothing of theirs. */
  #be(user: UserId | undefined): void {
    if (this.#user !== undefined && this.#user !== user) {
      this.#sender.leave();
      this.#following.clear();
      this.#rooms.clear();
      this.#marks.clear();
      this.#signals.clear();
      this.#wasLive = false;
      for (const timeline of [...this.#timelines]) timeline.close();
    }
    this.#user = user;
  }

  #welcomed(welcome: ServerWelcome): void {
    this.#be(welcome.user);
    this.#device = welcome.device;
    this.#frameBytes = welcome.limits.frame;
    const fresh = welcome.rooms.filter((view) => this.#wasLive && this.#rooms.get(view.room) === undefined);
    this.#wasLive = true;
    this.#rooms.welcomed(welcome.rooms);
    this.#following.welcomed(welcome);
    this.#marks.welcomed(welcome.rooms);
    this.#signals.welcomed();
    this.#media.nudge();
    this.#sender.welcomed();
    for (const view of fresh) this.#tellJoined(view.room);
  }

  #lost(): void {
    this.#following.lost();
    this.#rooms.lost();
    this.#sender.lost();
    this.#marks.lost();
    this.#signals.lost();
  }

  #frame(frame: ServerFrame): void {
    switch (frame.type) {
      case "event":
        return this.#following.event(frame);
      case "ack":
        return this.#sender.ack(frame);
      case "nack":
        return this.#nack(frame);
      case "synced":
        return this.#following.synced(frame.room, frame.seq, frame.id);
      case "gap":
        return this.#following.gap(frame.room, frame.from, frame.to, frame.id);
      case "lagged":
        return this.#following.lagged(frame.rooms);
      case "room":
        return this.#following.notice(frame);
      case "marks":
        if (frame.user === this.#user && typeof frame.read === "number") this.#rooms.read(frame.room, frame.read);
        return this.#told.emit("marks", frame);
      case "typing":
        return this.#signals.told(frame);
      case "presence":
        return this.#signals.toldPresence(frame);
      default:
      // What is not known here is for clients that came later.
    }
  }

  #nack(nack: ServerNack): void {
    const isTaken =
      this.#sender.nack(nack) || this.#marks.nack(nack) || this.#signals.nack(nack.id) || this.#following.nack(nack);
    if (!isTaken) this.#told.emit("problem", ofNack(nack));
  }

  #show(event: EventFrame): void {
    this.#rooms.event(event);
    for (const timeline of this.#of(event.room)) timeline.event(event);
    this.#sender.shown(event);
    this.#signals.event(event);
    if (event.kind === "message" && event.from === this.#user) this.#marks.follows(event.room, event.seq);
    if (event.kind === "member" && event.user === this.#user) this.#sender.nudge(event.room);
    if (this.#options.confirmDelivery) this.#marks.move(event.room, { delivered: event.seq });
    this.#told.emit("event", event);
  }

  #appeared(view: RoomView): void {
    if (this.#rooms.appeared(view)) this.#tellJoined(view.room);
  }

  #tellJoined(room: RoomId): void {
    const summary = this.#rooms.get(room);
    if (summary) this.#told.emit("joined", summary);
  }

  #gone(room: RoomId): void {
    this.#rooms.gone(room);
    this.#marks.gone(room);
    this.#told.emit("left", room);
  }

  /** What a timeline shows was read before the room was followed: what happened since is told too. */
  #startFrom(view: RoomView): Seq {
    const shown = this.#of(view.room).map((timeline) => timeline.upTo ?? view.head);
    return Math.min(view.head, ...shown);
  }
}
