// Doing things once per frame, however often they are asked for.

/** What comes back plans `run` before the next frame, or a little later where no frames are drawn. */
export function onceAFrame(run: () => void): () => void {
  let planned = false;
  return () => {
    if (planned) return;
    planned = true;
    const go = (): void => {
      if (!planned) return;
      planned = false;
      clearTimeout(late);
      cancelAnimationFrame(frame);
      run();
    };
    const late = setTimeout(go, 200);
    const frame = requestAnimationFrame(go);
  };
}
