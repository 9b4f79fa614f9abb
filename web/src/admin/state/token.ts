// The operator's token: for this tab only, and gone with it.

const KEY = "rookery.operator";

export const keptToken = (): string | undefined => sessionStorage.getItem(KEY) ?? undefined;

export function keepToken(token: string): void {
  sessionStorage.setItem(KEY, token);
}

export function forgetToken(): void {
  sessionStorage.removeItem(KEY);
}
