// Frames of RFC 6455 as a client reads and writes them: a machine without I/O.

import { randomBytes } from "node:crypto";

/** What a frame is. */
export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** What came in whole. */
export type Incoming =
  | { kind: "text"; text: string }
  | { kind: "ping" | "pong"; payload: Buffer }
  | { kind: "close"; code: number; reason: string };

/** The peer does not keep to the protocol; `code` says how, as a close code. */
export class Breach extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** The longest message that is taken. */
const LONGEST = 16 * 1024 * 1024;
const NO_CODE = 1005;

/** A frame as a client sends it: masked, in one piece. */
export function masked(opcode: number, payload: Buffer): Buffer {
  const { length } = payload;
  const extended = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const frame = Buffer.allocUnsafe(6 + extended + length);
  frame[0] = 0x80 | opcode;
  frame[1] = 0x80 | (extended === 0 ? length : extended === 2 ? 126 : 127);
  if (extended === 2) frame.writeUInt16BE(length, 2);
  if (extended === 8) frame.writeBigUInt64BE(BigInt(length), 2);
  const start = 6 + extended;
  const mask = randomBytes(4);
  mask.copy(frame, start - 4);
  for (let at = 0; at < length; at += 1) frame[start + at] = (payload[at] as number) ^ (mask[at & 3] as number);
  return frame;
}

/** The payload of a close frame. */
export function closing(code: number, reason: string): Buffer {
  const payload = Buffer.alloc(2 + Buffer.byteLength(reason));
  payload.writeUInt16BE(code, 0);
  payload.write(reason, 2);
  return payload;
}

interface Header {
  final: boolean;
  opcode: number;
  start: number;
  length: number;
}

/** Takes bytes as they come, and gives what is whole. */
export class FrameReader {
  #bytes: Buffer = Buffer.alloc(0);
  /** The parts of a message that is not whole. */
  #parts: Buffer[] | undefined;

  /** What has become whole by these bytes. Throws a `Breach` when the peer is at fault. */
  *read(bytes: Buffer): Generator<Incoming, void, undefined> {
    this.#bytes = this.#bytes.length === 0 ? bytes : Buffer.concat([this.#bytes, bytes]);
    for (let header = this.#header(); header; header = this.#header()) {
      const end = header.start + header.length;
      if (this.#bytes.length < end) return;
      const payload = this.#bytes.subarray(header.start, end);
      this.#bytes = this.#bytes.subarray(end);
      const whole = this.#frame(header, payload);
      if (whole) yield whole;
    }
  }

  #header(): Header | undefined {
    const bytes = this.#bytes;
    if (bytes.length < 2) return undefined;
    const [first, second] = [bytes.readUInt8(0), bytes.readUInt8(1)];
    if ((first & 0x70) !== 0) throw new Breach(1002, "reserved bits");
    if ((second & 0x80) !== 0) throw new Breach(1002, "a masked frame from a server");
    const opcode = first & 0x0f;
    const final = (first & 0x80) !== 0;
    const short = second & 0x7f;
    if (opcode >= OPCODE.close && (short > 125 || !final)) throw new Breach(1002, "a control frame that is too long or split");
    const extended = short === 126 ? 2 : short === 127 ? 8 : 0;
    if (bytes.length < 2 + extended) return undefined;
    const length = extended === 2 ? bytes.readUInt16BE(2) : extended === 8 ? Number(bytes.readBigUInt64BE(2)) : short;
    const before = this.#parts?.reduce((sum, part) => sum + part.length, 0) ?? 0;
    if (before + length > LONGEST) throw new Breach(1009, "a message that is too long");
    return { final, opcode, start: 2 + extended, length };
  }

  #frame({ final, opcode }: Header, payload: Buffer): Incoming | undefined {
    switch (opcode) {
      case OPCODE.text:
        if (this.#parts) throw new Breach(1002, "a message within another");
        if (final) return { kind: "text", text: utf8(payload) };
        this.#parts = [payload];
        return undefined;
      case OPCODE.continuation: {
        if (!this.#parts) throw new Breach(1002, "a continuation of nothing");
        this.#parts.push(payload);
        if (!final) return undefined;
        const whole = Buffer.concat(this.#parts);
        this.#parts = undefined;
        return { kind: "text", text: utf8(whole) };
      }
      case OPCODE.binary:
        throw new Breach(1003, "a binary message");
      case OPCODE.ping:
        return { kind: "ping", payload };
      case OPCODE.pong:
        return { kind: "pong", payload };
      case OPCODE.close:
        if (payload.length === 1) throw new Breach(1002, "half a close code");
        if (payload.length === 0) return { kind: "close", code: NO_CODE, reason: "" };
        return { kind: "close", code: payload.readUInt16BE(0), reason: utf8(payload.subarray(2)) };
      default:
        throw new Breach(1002, `an unknown frame ${opcode}`);
    }
  }
}

const DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function utf8(bytes: Buffer): string {
  try {
    return DECODER.decode(bytes);
  } catch {
    throw new Breach(1007, "bytes that are not UTF-8");
  }
}
