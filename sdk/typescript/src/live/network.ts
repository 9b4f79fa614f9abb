// Whether there is a network, as far as a browser knows; elsewhere there always is.

/** What is known of the network, and of coming back to the page. */
export interface Network {
  online(): boolean;
  /** Told when `online` changed, and when the page is looked at again; until the function that comes back is called. */
  onChange(listener: () => void): () => void;
}

interface Page {
  navigator?: { onLine?: boolean };
  addEventListener?: (name: string, listener: () => void) => void;
  removeEventListener?: (name: string, listener: () => void) => void;
  document?: { addEventListener(name: string, listener: () => void): void; removeEventListener(name: string, listener: () => void): void };
}

/** The network of the page that this runs in. */
export function pageNetwork(page: Page = globalThis as unknown as Page): Network {
  return {
    online: () => page.addEventListener === undefined || page.navigator?.onLine !== false,
    onChange(listener) {
      for (const name of ["online", "offline"]) page.addEventListener?.(name, listener);
      page.document?.addEventListener("visibilitychange", listener);
      return () => {
        for (const name of ["online", "offline"]) page.removeEventListener?.(name, listener);
        page.document?.removeEventListener("visibilitychange", listener);
      };
    },
  };
}
