// A TCP proxy with one address for a server that restarts on other ports; it cuts connections wherever it is told to.

import { type AddressInfo, connect, createServer, type Server as Listener, type Socket } from "node:net";

/** Stands before a server. */
export class Proxy {
  readonly #listener: Listener;
  readonly #pairs = new Set<{ near: Socket; far: Socket }>();
  #target: URL;
  /** So many more bytes go to clients; then every connection is cut, in the middle of whatever goes through. */
  #left = Infinity;
  #isClosed = false;
  /** Connections are taken and nothing goes through. */
  #isStuck = false;
  /** How many connections were taken. */
  taken = 0;
  /** How often clients said something. */
  said = 0;

  private constructor(target: string) {
    this.#target = new URL(target);
    this.#listener = createServer((near) => this.#take(near));
  }

  static async before(target: string): Promise<Proxy> {
    const proxy = new Proxy(target);
    await new Promise<void>((resolve) => proxy.#listener.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#listener.address() as AddressInfo).port}`;
  }

  /** The server is somewhere else now. */
  aim(target: string): void {
    this.#target = new URL(target);
  }

  /** Cuts everything that is open. */
  cut(): void {
    this.#left = Infinity;
    for (const { near, far } of [...this.#pairs]) {
      near.destroy();
      far.destroy();
    }
  }

  /** Cuts everything after so many more bytes to clients: most likely in the middle of a frame. */
  cutAfter(bytes: number): void {
    this.#left = bytes;
  }

  /** From here on connections are refused, or taken again. */
  refuse(isClosed: boolean): void {
    this.#isClosed = isClosed;
    if (isClosed) this.cut();
  }

  /** What is sent to clients waits here, or flows again. */
  stick(isStuck: boolean): void {
    this.#isStuck = isStuck;
    for (const { far } of this.#pairs) {
      if (isStuck) far.pause();
      else far.resume();
    }
  }

  async end(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#listener.close(resolve));
  }

  #take(near: Socket): void {
    if (this.#isClosed) return void near.destroy();
    this.taken += 1;
    const far = connect(Number(this.#target.port), this.#target.hostname);
    const pair = { near, far };
    this.#pairs.add(pair);
    const over = (): void => {
      this.#pairs.delete(pair);
      near.destroy();
      far.destroy();
    };
    for (const socket of [near, far]) {
      socket.setNoDelay(true);
      socket.on("error", over);
      socket.on("close", over);
    }
    near.on("data", () => (this.said += 1));
    near.pipe(far);
    far.on("data", (bytes) => this.#pass(near, far, bytes));
    if (this.#isStuck) far.pause();
  }

  #pass(near: Socket, far: Socket, bytes: Buffer): void {
    if (bytes.length >= this.#left) {
      near.write(bytes.subarray(0, this.#left), () => this.cut());
      far.pause();
      return;
    }
    this.#left -= bytes.length;
    // Who does not read is not written to: so the server notices a slow reader through this as well.
    if (!near.write(bytes)) {
      far.pause();
      near.once("drain", () => {
        if (!this.#isStuck) far.resume();
      });
    }
  }
}
