// A file on the disk as what can be uploaded: it is read part by part, so that its size does not matter.

import { open } from "node:fs/promises";
import { basename } from "node:path";

import type { NewFile } from "../media/upload.js";

/** A file that is open; `close` it when it is sent. */
export interface OpenFile extends NewFile {
  close(): Promise<void>;
}

/** Opens a file for `client.send` or `client.media.upload`. */
export async function openFile(path: string, name = basename(path)): Promise<OpenFile> {
  const handle = await open(path);
  try {
    const { size } = await handle.stat();
    return {
      name,
      source: {
        size,
        async read(from, to) {
          const bytes = new Uint8Array(to - from);
          let read = 0;
          while (read < bytes.length) {
            const { bytesRead } = await handle.read(bytes, read, bytes.length - read, from + read);
            if (bytesRead === 0) throw new Error("the file is shorter than it was");
            read += bytesRead;
          }
          return bytes;
        },
      },
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}
