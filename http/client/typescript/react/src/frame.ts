/** A page that is not drawn is told so often all the same: its title may show progress. */
const hiddenMs = 250;

const due = new Set<() => void>();
let cancel: (() => void) | null = null;

/** A listener that is called in the next frame, once, however often it was told. All listeners of a frame are called in one go. */
export function inFrame(listener: () => void): { tell: () => void; forget: () => void } {
  const tell = () => {
    due.add(listener);
    cancel ??= schedule(flush);
  };
  return { tell, forget: () => due.delete(listener) };
}

function flush(): void {
  cancel?.();
  cancel = null;
  const listeners = [...due];
  due.clear();
  for (const listener of listeners) listener();
}

function schedule(run: () => void): () => void {
  const timer = setTimeout(run, hiddenMs);
  const frame = typeof requestAnimationFrame === 'function' ? requestAnimationFrame(run) : null;
  return () => {
    clearTimeout(timer);
    if (frame !== null) cancelAnimationFrame(frame);
  };
}
