// Small drawings, all in one stroke and one size; what they mean is said in words by whoever uses them.

import type { JSX } from "solid-js";

const PATHS = {
  send: "M4 12 20 4l-5 16-3-7z",
  back: "M15 5l-7 7 7 7",
  plus: "M12 5v14M5 12h14",
  search: "M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM16 16l4 4",
  settings: "M4 7h10M18 7h2M4 17h2M10 17h10M16 5v4M8 15v4",
  people: "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM3 20c0-4 2.5-6 6-6s6 2 6 6M16 4.5a3.5 3.5 0 0 1 0 6M17.500 14.500c2.500.700 3.500 2.500 3.500 5.500",
  down: "M12 5v13M6 13l6 6 6-6",
  close: "M6 6l12 12M18 6 6 18",
  reply: "M9 7 4 12l5 5M4 12h9c4 0 7 2 7 6",
  smile: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM8.500 14.500c2 2.500 5 2.500 7 0M9 9.500v.500M15 9.500v.500",
  edit: "M4 20h4L19 9l-4-4L4 16z",
  trash: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13",
  check: "M4 13l5 5L20 7",
  twice: "M2 13l4.500 4.500L16 8M11.500 16.500l1 1L22 8",
  clock: "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM12 8v4l3 2",
  warning: "M12 4 3 20h18zM12 10v4M12 17v.500",
  bell: "M6 17V11a6 6 0 0 1 12 0v6l2 1H4zM10 20h4",
  silent: "M6 17V11a6 6 0 0 1 10-4.500M18 11v6l2 1H4zM10 20h4M4 4l16 16",
  lock: "M6 11h12v9H6zM9 11V8a3 3 0 0 1 6 0v3",
  hash: "M9 4 7 20M17 4l-2 16M4 9h17M3 15h17",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  door: "M14 4H5v16h9M10 12h11M17 8l4 4-4 4",
  device: "M4 5h16v11H4zM9 20h6M12 16v4",
  clip: "M20 11l-8.500 8.500a5 5 0 0 1-7-7L13 4a3.300 3.300 0 0 1 4.700 4.700L9.200 17.200a1.600 1.600 0 0 1-2.300-2.300L14.500 7.500",
  microphone: "M12 3a3 3 0 0 0-3 3v5a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3zM6 11a6 6 0 0 0 12 0M12 17v4M9 21h6",
  play: "M8 5l11 7-11 7z",
  pause: "M8 5v14M16 5v14",
  stop: "M7 7h10v10H7z",
  file: "M6 3h8l4 4v14H6zM14 3v4h4",
  film: "M4 6h16v12H4zM8 6v12M16 6v12M4 12h4M16 12h4",
  sound: "M9 18a2.500 2.500 0 1 1-2.500-2.500A2.500 2.500 0 0 1 9 18V6l10-2v12a2.500 2.500 0 1 1-2.500-2.500A2.500 2.500 0 0 1 19 16",
  picture: "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15 9v.500",
  save: "M12 4v11M7 11l5 5 5-5M5 20h14",
  next: "M9 5l7 7-7 7",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon(props: { name: IconName }): JSX.Element {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={PATHS[props.name]} />
    </svg>
  );
}

export function Logo(): JSX.Element {
  return (
    <svg class="logo" viewBox="0 0 64 64" aria-hidden="true">
      <rect class="logo-ground" width="64" height="64" rx="16" />
      <path class="logo-bird" d="M14 50c0-18 8-33 22-33 8 0 13 5 14 11l8 5-9 3c-2 9-9 14-18 14z" />
      <circle class="logo-ground" cx="39" cy="27" r="3" />
      <path class="logo-wing" d="M20 50c2-9 8-14 17-15-2 8-7 14-13 15z" />
    </svg>
  );
}
