// How many messages of a room are unread: a count by the server, and what was told since.

import type { Seq } from "../generated/live.js";

/** So many places of messages are remembered one by one. */
const REMEMBERED = 2_000;

/** Counts the messages after a read mark. */
export class Unread {
  /** Up to here the server has counted. */
  #head: Seq;
  /** With this read mark. */
  #countedRead: Seq;
  #counted: number;
  /** Messages after `#head`. */
  #since: Seq[] = [];
  #read: Seq;

  constructor(head: Seq, read: Seq, counted: number) {
    this.#head = head;
    this.#read = this.#countedRead = read;
    this.#counted = counted;
  }

  get read(): Seq {
    return this.#read;
  }

  /** Whether the count is exact: the mark is not somewhere inside what only the server can count. */
  get isExact(): boolean {
    return this.#read === this.#countedRead || this.#read >= this.#head;
  }

  get count(): number {
    const before = this.#read >= this.#head ? 0 : this.#counted;
    return before + this.#since.filter((seq) => seq > this.#read).length;
  }

  /** A message was told. */
  message(seq: Seq): void {
    if (seq <= Math.max(this.#head, this.#since.at(-1) ?? 0)) return;
    this.#since.push(seq);
    if (this.#since.length <= REMEMBERED) return;
    const folded = this.#since.splice(0, REMEMBERED / 2);
    this.#counted = (this.#read >= this.#head ? 0 : this.#counted) + folded.filter((seq) => seq > this.#read).length;
    this.#countedRead = this.#read;
    this.#head = folded.at(-1) ?? this.#head;
  }

  /** The mark moved; it never goes back. */
  mark(read: Seq): void {
    this.#read = Math.max(this.#read, read);
  }

  /** The server has counted again. */
  recount(head: Seq, read: Seq, counted: number): void {
    this.#since = this.#since.filter((seq) => seq > head);
    this.#head = head;
    this.#countedRead = read;
    this.#counted = counted;
    this.#read = Math.max(this.#read, read);
  }

  /** The server's log ends here. */
  cut(to: Seq): void {
    this.#since = this.#since.filter((seq) => seq <= to);
    this.#head = Math.min(this.#head, to);
    this.#read = Math.min(this.#read, to);
    this.#countedRead = Math.min(this.#countedRead, to);
  }
}
