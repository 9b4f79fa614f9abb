// A chart of the last ten minutes, drawn by hand: lines over time, the values under the pointer or the arrow keys.

import { createMemo, createSignal, For, type JSX, Show } from "solid-js";
import { isGap, KEPT_MS, type Values } from "../state/samples";
import { clockOf, numberOf, words } from "../texts";

export interface Line {
  name: string;
  values: Values;
}

interface Props {
  title: string;
  lines: Line[];
  times: number[];
  /** How a value is written. */
  unit?: (value: number) => string;
}

const [WIDTH, HEIGHT] = [600, 120];

/** The next round number at or above. */
function roundUp(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5, 10].find((step) => step * power >= value * 0.999) ?? 10) * power;
}

export function Chart(props: Props): JSX.Element {
  const [pointed, setPointed] = createSignal<number>();
  const end = (): number => props.times.at(-1) ?? Date.now();
  const x = (at: number): number => WIDTH - ((end() - at) / KEPT_MS) * WIDTH;
  const top = createMemo(() => roundUp(Math.max(0, ...props.lines.flatMap(({ values }) => values.map((value) => value ?? 0)))));
  const unit = (value: number): string => (props.unit ?? numberOf)(value);
  const path = (values: Values): string => {
    let drawn = "";
    let last: number | undefined;
    values.forEach((value, at) => {
      const time = props.times[at];
      if (value === undefined || time === undefined) return (last = undefined);
      const place = `${x(time).toFixed(1)} ${(HEIGHT - (value / top()) * HEIGHT).toFixed(1)}`;
      // A look without neighbours is a dot.
      drawn += last === undefined || isGap(last, time) ? `M${place}h.1` : `L${place}`;
      return (last = time);
    });
    return drawn;
  };
  /** The place in the row that is read: the pointed one, else the newest. */
  const read = (): number => Math.min(pointed() ?? Infinity, props.times.length - 1);
  const when = (): string => {
    const time = props.times[read()];
    return pointed() === undefined || time === undefined ? words.now : clockOf(time);
  };
  const value = (line: Line): string => {
    const present = line.values[read()];
    return present === undefined ? "–" : unit(present);
  };
  const spoken = (): string => words.read(props.title, when(), props.lines.map((line) => `${line.name} ${value(line)}`).join(", ") || words.nothingYet);
  const point = (event: PointerEvent & { currentTarget: SVGSVGElement }): void => {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    const time = end() - (1 - (event.clientX - left) / width) * KEPT_MS;
    const distances = props.times.map((at) => Math.abs(at - time));
    setPointed(distances.indexOf(Math.min(...distances)));
  };
  const key = (event: KeyboardEvent): void => {
    const last = props.times.length - 1;
    const to = { ArrowLeft: Math.max(0, read() - 1), ArrowRight: Math.min(last, read() + 1), Home: 0, End: last }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    setPointed(to);
  };
  return (
    <figure class="chart">
      <figcaption><b>{props.title}</b> <span class="quiet">{when()}</span></figcaption>
      <div class="plot">
        <span class="bound" aria-hidden="true">{unit(top())}</span>
        <svg
          viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={spoken()} tabindex="0"
          onPointerMove={point} onPointerLeave={() => setPointed(undefined)} onKeyDown={key} onBlur={() => setPointed(undefined)}
        >
          <path class="grid" d={`M0 0H${WIDTH}M0 ${HEIGHT / 2}H${WIDTH}M0 ${HEIGHT}H${WIDTH}`} vector-effect="non-scaling-stroke" />
          <For each={props.lines}>{(line, at) => <path class={`line line-${at() % 6}`} d={path(line.values)} vector-effect="non-scaling-stroke" />}</For>
          <Show when={pointed() !== undefined && props.times[read()]}>
            {(time) => <path class="reading" d={`M${x(time())} 0V${HEIGHT}`} vector-effect="non-scaling-stroke" />}
          </Show>
        </svg>
      </div>
      <ul class="legend">
        <For each={props.lines}>{(line, at) => <li><span class={`swatch line-${at() % 6}`} aria-hidden="true" /> <bdi>{line.name}</bdi> <b>{value(line)}</b></li>}</For>
      </ul>
    </figure>
  );
}
