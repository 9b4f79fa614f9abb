// Which addresses may be followed, and where in a text one stands.

const FOLLOWED = new Set(["http:", "https:", "mailto:"]);
const URL_HERE = /(?:https?:\/\/|mailto:)[^\s<>"`]{1,2000}/y;

/** The address as a browser understands it, if it is one that people may follow. */
export function safeAddress(text: string): string | undefined {
  // Browsers drop control characters in addresses, so that others than the reader sees them would be followed.
  if (/[\u0000-\u0020\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]/.test(text)) return undefined;
  try {
    const url = new URL(text);
    return FOLLOWED.has(url.protocol) && url.username === "" && url.password === "" ? url.href : undefined;
  } catch {
    return undefined;
  }
}

/** The address that stands at this place, without the punctuation of the sentence around it. */
export function urlAt(text: string, at: number): string | undefined {
  URL_HERE.lastIndex = at;
  let found = URL_HERE.exec(text)?.[0];
  while (found !== undefined && /[.,:;!?'*_~\]]$/.test(found)) found = found.slice(0, -1);
  if (found?.endsWith(")") && !found.includes("(")) found = found.slice(0, -1);
  return found;
}
