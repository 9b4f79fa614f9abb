// The login that this browser keeps, so that a reload needs no password.
//
// The server gives a login as a bearer token and sets no cookie. It lies in the storage of this origin: for this tab only,
// or for as long as the login lasts if people ask for that. Other sites cannot make a browser use it, as they could a
// cookie; what could read it is a script in this page, of which the policy of the page allows none but its own.

import type { UserId } from "./wire";

const KEY = "rookery.login";

export interface KeptLogin {
  token: string;
  user: UserId;
}

export function keptLogin(): KeptLogin | undefined {
  const text = sessionStorage.getItem(KEY) ?? localStorage.getItem(KEY);
  try {
    const kept = JSON.parse(text ?? "null") as Partial<KeptLogin> | null;
    return typeof kept?.token === "string" && typeof kept.user === "string" ? { token: kept.token, user: kept.user } : undefined;
  } catch {
    return undefined;
  }
}

export function keepLogin(login: KeptLogin, lasting: boolean): void {
  forgetLogin();
  (lasting ? localStorage : sessionStorage).setItem(KEY, JSON.stringify(login));
}

export function forgetLogin(): void {
  sessionStorage.removeItem(KEY);
  localStorage.removeItem(KEY);
}

/** Tells when another tab logs out or logs in as somebody else. */
export function onOtherLogin(token: string, told: () => void): () => void {
  const listener = (event: StorageEvent): void => {
    const isGone = event.key === null || event.key === KEY;
    if (isGone && keptLogin()?.token !== token) told();
  };
  addEventListener("storage", listener);
  return () => removeEventListener("storage", listener);
}

/** What this login is called in the list of devices. */
export function deviceName(agent: string = navigator.userAgent): string {
  const browsers: [RegExp, string][] = [[/Firefox\//, "Firefox"], [/Edg\//, "Edge"], [/OPR\//, "Opera"], [/Chrome\//, "Chrome"], [/Safari\//, "Safari"]];
  const systems: [RegExp, string][] = [[/Android/, "Android"], [/iPhone|iPad/, "iOS"], [/Windows/, "Windows"], [/Mac OS/, "macOS"], [/Linux/, "Linux"]];
  const named = (list: [RegExp, string][], other: string): string => list.find(([pattern]) => pattern.test(agent))?.[1] ?? other;
  return `${named(browsers, "Browser")} on ${named(systems, "a computer")}`;
}
