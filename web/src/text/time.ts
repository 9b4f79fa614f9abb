// Times as people read them, in their own language and zone.

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const weekday = new Intl.DateTimeFormat(undefined, { weekday: "long" });
const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const longDay = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long", year: "numeric" });
const whole = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "short" });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });

const DAY_MS = 86_400_000;

export const clockTime = (at: Date): string => clock.format(at);
export const wholeTime = (at: Date): string => whole.format(at);

export function isSameDay(one: Date, other: Date): boolean {
  return one.toDateString() === other.toDateString();
}

function daysAgo(at: Date, now: Date): number {
  const midnight = (date: Date): number => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
  return Math.round((midnight(now) - midnight(at)) / DAY_MS);
}

const capital = (text: string): string => text.charAt(0).toLocaleUpperCase() + text.slice(1);

/** For a line between two days. */
export function dayName(at: Date, now = new Date()): string {
  const days = daysAgo(at, now);
  return days === 0 || days === 1 ? capital(relative.format(-days, "day")) : longDay.format(at);
}

/** For a list: the more recent, the more exact. */
export function shortTime(at: Date, now = new Date()): string {
  const days = daysAgo(at, now);
  if (days === 0) return clock.format(at);
  return days < 7 ? weekday.format(at).slice(0, 3) : day.format(at);
}
