// The files that are to go with the next message: chosen, pasted or dropped.

import { type Accessor, createSignal } from "solid-js";
import { type RoomId, usableName } from "../state/wire";
import { texts } from "../texts";

/** So many the server takes with one message. */
export const MOST_FILES = 10;

export interface Chosen {
  readonly key: number;
  readonly name: string;
  readonly file: File;
}

export interface Tray {
  readonly chosen: Accessor<readonly Chosen[]>;
  /** Words for screen readers about what was done last. */
  readonly spoken: Accessor<string>;
  /** `tell` hears why some of them cannot be sent. */
  readonly add: (files: readonly File[], tell: (words: string) => void) => void;
  readonly remove: (key: number) => void;
  readonly clear: () => void;
}

let made = 0;
/** As long as the page lives: whoever looks into another conversation finds what was chosen here. */
const trays = new Map<RoomId, Tray>();

export function trayOf(room: RoomId): Tray {
  const known = trays.get(room) ?? createTray();
  trays.set(room, known);
  return known;
}

/** Whoever logs in next finds nothing. */
export const clearTrays = (): void => trays.clear();

function createTray(): Tray {
  const [chosen, setChosen] = createSignal<readonly Chosen[]>([]);
  const [spoken, setSpoken] = createSignal("");
  return {
    chosen,
    spoken,
    add(files, tell) {
      for (const file of files) {
        const name = usableName(file.name);
        if (file.size === 0) tell(texts.emptyFile(name));
        else if (chosen().length >= MOST_FILES) return tell(texts.tooManyFiles(MOST_FILES));
        else {
          setChosen((before) => [...before, { key: (made += 1), name, file }]);
          setSpoken(texts.addedFile(name));
        }
      }
    },
    remove(key) {
      const one = chosen().find((other) => other.key === key);
      setChosen((before) => before.filter((other) => other.key !== key));
      if (one) setSpoken(texts.removedFile(one.name));
    },
    clear() {
      setChosen([]);
      setSpoken("");
    },
  };
}

/** What was pasted or dropped; a folder is none of it. */
export function filesOf(data: DataTransfer | null, tell: (words: string) => void): File[] {
  if (!data) return [];
  const items = [...data.items].filter(({ kind }) => kind === "file");
  const folders = items.filter((item) => item.webkitGetAsEntry?.()?.isDirectory);
  if (folders.length > 0) tell(texts.noFolders);
  return items.filter((item) => !folders.includes(item)).flatMap((item) => item.getAsFile() ?? []);
}
