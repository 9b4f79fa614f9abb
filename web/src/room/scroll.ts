// Keeps what people look at in its place while rows above and below come, go and turn out higher than they were taken for.

import { type Key, Rows } from "./rows";

export interface Stage {
  /** What scrolls. */
  frame(): HTMLElement;
  /** As high as all rows together. */
  canvas(): HTMLElement;
  /** The rows that are in the page, one below the other. */
  block(): HTMLElement;
  /** These rows are to be in the page from now on. */
  show(from: number, to: number): void;
  /** Whether the last row is the last that there is: then its end is a place to stay at. */
  isWhole(): boolean;
  /** Something is in sight that was not, or the other way round. */
  moved(): void;
}

/** So far beyond what is in sight rows are in the page. */
const BEYOND = 600;
/** So near to the end counts as being there. */
const AT_END = 40;

export class Scroll {
  readonly #stage: Stage;
  readonly #rows = new Rows();
  readonly #keys = new WeakMap<Element, Key>();
  readonly #heights: ResizeObserver;
  readonly #frame: ResizeObserver;
  /** What is at the upper edge, and how far above the edge it begins. */
  #anchor: { key: Key; above: number } | undefined;
  isAtEnd = true;
  /** Where we ourselves scrolled to: the browser tells of it as if people had. */
  #own = -1;

  constructor(stage: Stage) {
    this.#stage = stage;
    this.#heights = new ResizeObserver((entries) => this.#measured(entries));
    this.#frame = new ResizeObserver(() => this.#resized());
  }

  start(): void {
    this.#frame.observe(this.#stage.frame());
  }

  stop(): void {
    this.#heights.disconnect();
    this.#frame.disconnect();
  }

  watch(key: Key, element: HTMLElement): () => void {
    this.#keys.set(element, key);
    this.#heights.observe(element);
    return () => this.#heights.unobserve(element);
  }

  update(length: number, keyAt: (index: number) => Key, estimate: (index: number) => number): void {
    this.#rows.update(length, keyAt, estimate);
    this.#settle();
  }

  get above(): number {
    return this.#stage.frame().scrollTop;
  }

  get below(): number {
    const frame = this.#stage.frame();
    return this.#top() + this.#rows.total - frame.scrollTop - frame.clientHeight;
  }

  /** The last row of which the end is in sight. */
  lastInSight(): number {
    const frame = this.#stage.frame();
    const bottom = frame.scrollTop + frame.clientHeight - this.#top();
    const index = this.#rows.at(bottom);
    return this.#rows.offset(index + 1) <= bottom + 8 ? index : index - 1;
  }

  /** Puts a row so far down from the upper edge, as a part of the height. */
  showIndex(index: number, part: number): void {
    const key = this.#rows.key(index);
    if (key === undefined) return;
    this.isAtEnd = false;
    this.#anchor = { key, above: -this.#stage.frame().clientHeight * part };
    this.#settle();
  }

  showKey(key: Key, part: number): void {
    this.showIndex(this.#rows.indexOf(key), part);
  }

  showEnd(): void {
    this.isAtEnd = true;
    this.#settle();
  }

  scrolled(): void {
    const frame = this.#stage.frame();
    if (Math.abs(frame.scrollTop - this.#own) > 1.5) {
      this.#own = -1;
      this.isAtEnd = this.below < AT_END;
      this.#remember();
    }
    this.#draw();
    this.#stage.moved();
  }

  /** What stands above the rows: few rows lie at the lower edge of the frame. */
  #top(): number {
    return this.#stage.canvas().offsetTop;
  }

  #remember(): void {
    const top = this.#stage.frame().scrollTop - this.#top();
    const index = this.#rows.at(Math.max(top, 0));
    const key = this.#rows.key(index);
    this.#anchor = key === undefined ? undefined : { key, above: top - this.#rows.offset(index) };
  }

  /** Draws, and scrolls to where what people look at is now. */
  #settle(): void {
    const frame = this.#stage.frame();
    this.#stage.canvas().style.height = `${this.#rows.total}px`;
    const anchor = this.#anchor;
    const index = anchor === undefined ? -1 : this.#rows.indexOf(anchor.key);
    if (this.isAtEnd) this.#scrollTo(frame.scrollHeight);
    else if (anchor && index >= 0) this.#scrollTo(this.#rows.offset(index) + anchor.above + this.#top());
    // Where there is nothing further down one stays when something comes.
    if (this.below < 2 && this.#stage.isWhole()) this.isAtEnd = true;
    this.#draw();
    if (this.isAtEnd || index < 0) this.#remember();
  }

  #scrollTo(place: number): void {
    const frame = this.#stage.frame();
    const wanted = Math.max(Math.min(place, frame.scrollHeight - frame.clientHeight), 0);
    if (Math.abs(frame.scrollTop - wanted) > 0.5) frame.scrollTop = wanted;
    this.#own = frame.scrollTop;
  }

  #draw(): void {
    const frame = this.#stage.frame();
    const top = frame.scrollTop - this.#top();
    const from = this.#rows.at(Math.max(top - BEYOND, 0));
    const to = this.#rows.at(top + frame.clientHeight + BEYOND) + 1;
    this.#stage.show(from, Math.min(to, this.#rows.length));
    this.#stage.block().style.transform = `translateY(${this.#rows.offset(from)}px)`;
  }

  #measured(entries: readonly ResizeObserverEntry[]): void {
    let isAsTaken = true;
    for (const { target, borderBoxSize } of entries) {
      const key = this.#keys.get(target);
      const height = borderBoxSize[0]?.blockSize ?? 0;
      if (key !== undefined && target.isConnected && height > 0) isAsTaken = this.#rows.measure(key, height) && isAsTaken;
    }
    if (isAsTaken) return;
    this.#settle();
    this.#stage.moved();
  }

  #resized(): void {
    this.#settle();
    this.#stage.moved();
  }
}
