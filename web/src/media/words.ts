// What a message carries, in a few words: for lists, quotes, notices and screen readers.

import type { Attachment } from "../state/wire";
import { plainOf } from "../text/markdown";
import { texts } from "../texts";

export function carriedInWords(files: readonly Pick<Attachment, "kind" | "name">[]): string {
  const [first] = files;
  if (!first) return "";
  if (files.every(({ kind }) => kind === "picture")) return files.length === 1 ? texts.picture : texts.pictures(files.length);
  if (files.length > 1) return texts.files(files.length);
  return first.kind === "voice" ? texts.voiceMessage : texts.fileNamed(first.name);
}

/** The text of a message on one line, or what it carries if it says nothing. */
export function inOneLine(message: { body?: string | null; attachments?: readonly Pick<Attachment, "kind" | "name">[] | null }): string {
  return plainOf(message.body ?? "") || carriedInWords(message.attachments ?? []);
}
