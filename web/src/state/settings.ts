// What people choose for this browser: light or dark, and whether it tells of messages.

import { createSignal } from "solid-js";

export type Theme = "system" | "light" | "dark";

const THEME = "rookery.theme";
const ALERTS = "rookery.alerts";

const keptTheme = localStorage.getItem(THEME);
const [theme, show] = createSignal<Theme>(keptTheme === "light" || keptTheme === "dark" ? keptTheme : "system");
const [alerts, setAlertsHere] = createSignal(localStorage.getItem(ALERTS) === "on");

export { alerts, theme };

export function applyTheme(): void {
  if (theme() === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme();
}

export function setTheme(next: Theme): void {
  localStorage.setItem(THEME, next);
  show(next);
  applyTheme();
}

export const canAlert = (): boolean => "Notification" in globalThis;

/** Whether the browser lets us. */
export async function setAlerts(on: boolean): Promise<boolean> {
  const may = !on || (canAlert() && (await Notification.requestPermission()) === "granted");
  localStorage.setItem(ALERTS, on && may ? "on" : "off");
  setAlertsHere(on && may);
  return may;
}
