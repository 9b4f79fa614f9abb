// A WebSocket for Node, over its own HTTP: it can send the token as a header and knows why a handshake was refused.

import { createHash, randomBytes } from "node:crypto";
import { type ClientRequest, type IncomingMessage, request as http } from "node:http";
import { request as https, type RequestOptions } from "node:https";
import type { Duplex } from "node:stream";

import type { Ended, OpenSocket, Socket, SocketListener } from "../live/socket.js";
import { SUBPROTOCOL } from "../live/socket.js";
import { retryAfter } from "../rest/http.js";
import { Breach, closing, FrameReader, masked, OPCODE } from "./frames.js";

const ACCEPTED = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const CLOSING_MS = 1_000;

/** What TLS is to be done with: `ca`, `cert`, `key` and the like. */
export type TlsOptions = Pick<RequestOptions, "ca" | "cert" | "key" | "passphrase" | "servername" | "rejectUnauthorized">;

/** Opens WebSockets in Node. */
export function nodeSocket(tls: TlsOptions = {}): OpenSocket {
  return {
    sendsToken: true,
    open: (url, token, listener) => new NodeSocket(url, token, listener, tls),
  };
}

/** One connection. */
class NodeSocket implements Socket {
  readonly #listener: SocketListener;
  readonly #key = randomBytes(16).toString("base64");
  readonly #request: ClientRequest;
  readonly #reader = new FrameReader();
  #stream: Duplex | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isOver = false;
  /** A close frame went out: nothing more may follow it. */
  #isClosing = false;

  constructor(url: string, token: string | undefined, listener: SocketListener, tls: TlsOptions) {
    this.#listener = listener;
    const target = new URL(url);
    const isSecure = target.protocol === "wss:";
    target.protocol = isSecure ? "https:" : "http:";
    const headers: Record<string, string> = {
      Connection: "Upgrade",
      Upgrade: "websocket",
      "Sec-WebSocket-Key": this.#key,
      "Sec-WebSocket-Version": "13",
      "Sec-WebSocket-Protocol": SUBPROTOCOL,
    };
    if (token !== undefined) headers["Authorization"] = `Bearer ${token}`;
    this.#request = isSecure ? https(target, { headers, agent: false, ...tls }) : http(target, { headers, agent: false });
    this.#request.on("upgrade", (answer, stream, first) => this.#upgraded(answer, stream, first));
    this.#request.on("response", (answer) => this.#refused(answer));
    this.#request.on("error", (error) => this.#end({ code: 1006, reason: error.message }));
    this.#request.end();
  }

  send(text: string): void {
    if (!this.#isClosing) this.#stream?.write(masked(OPCODE.text, Buffer.from(text)));
  }

  close(code = 1000, reason = ""): void {
    if (this.#isOver || this.#isClosing) return;
    this.#isClosing = true;
    if (!this.#stream) return this.#end({ code: 1006, reason: "closed before it was open" });
    this.#stream.write(masked(OPCODE.close, closing(code, reason)));
    this.#timer = setTimeout(() => this.#end({ code: 1006, reason: "no answer to the close" }), CLOSING_MS);
  }

  #upgraded(answer: IncomingMessage, stream: Duplex, first: Buffer): void {
    stream.on("error", (error) => this.#end({ code: 1006, reason: error.message }));
    if (this.#isOver) return void stream.destroy();
    this.#stream = stream;
    const accept = createHash("sha1").update(this.#key + ACCEPTED).digest("base64");
    const { "sec-websocket-accept": accepted, "sec-websocket-protocol": protocol } = answer.headers;
    if (accepted !== accept || protocol !== SUBPROTOCOL) {
      return this.#end({ code: 1006, reason: "the answer to the handshake is not a Rookery server's" });
    }
    stream.on("data", (bytes: Buffer) => this.#bytes(bytes));
    stream.on("end", () => this.#end({ code: 1006, reason: "the connection ended" }));
    stream.on("close", () => this.#end({ code: 1006, reason: "the connection ended" }));
    this.#listener.opened();
    if (first.length > 0) this.#bytes(first);
  }

  #refused(answer: IncomingMessage): void {
    answer.resume();
    const headers = { get: (name: string) => String(answer.headers[name.toLowerCase()] ?? "") };
    const wait = retryAfter(headers);
    const status = answer.statusCode ?? 0;
    this.#end({ code: 1006, reason: "", status, ...(wait === undefined ? {} : { retryAfterMs: wait }) });
  }

  #bytes(bytes: Buffer): void {
    if (this.#isOver) return;
    try {
      for (const incoming of this.#reader.read(bytes)) {
        if (this.#isOver) return;
        if (incoming.kind === "text") this.#listener.text(incoming.text);
        else if (incoming.kind === "ping") this.#answer(OPCODE.pong, incoming.payload);
        else if (incoming.kind === "close") return this.#closed(incoming.code, incoming.reason);
      }
    } catch (error) {
      if (!(error instanceof Breach)) throw error;
      this.#answer(OPCODE.close, closing(error.code, ""));
      this.#end({ code: 1006, reason: `the server breaks the protocol: ${error.message}` });
    }
  }

  #answer(opcode: number, payload: Buffer): void {
    if (!this.#isClosing) this.#stream?.write(masked(opcode, payload));
  }

  #closed(code: number, reason: string): void {
    this.#answer(OPCODE.close, code === 1005 ? Buffer.alloc(0) : closing(code, ""));
    this.#end({ code, reason });
  }

  #end(ended: Ended): void {
    if (this.#isOver) return;
    this.#isOver = this.#isClosing = true;
    clearTimeout(this.#timer);
    const stream = this.#stream;
    // What was written last still goes out, if the peer reads.
    stream?.end(() => stream.destroy());
    if (stream) setTimeout(() => stream.destroy(), CLOSING_MS).unref();
    else this.#request.destroy();
    this.#listener.closed(ended);
  }
}
