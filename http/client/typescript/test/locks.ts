/** Web Locks, which Node does not have: exclusive, first come first served, stolen if asked. */
export class Locks {
  readonly #lines = new Map<string, { held: boolean; reject(reason: unknown): void; give(): void }[]>();
  readonly mine: (() => void)[] = [];
  constructor(readonly shared: Locks | null = null) {}

  async request(name: string, options: LockOptions, given: () => unknown): Promise<unknown> {
    const lines = (this.shared ?? this).#lines;
    const line = lines.get(name) ?? [];
    lines.set(name, line);
    return new Promise((resolve, reject) => {
      const next = () => line[0] && !line[0].held && line[0].give();
      const leave = () => {
        const at = line.indexOf(entry);
        if (at >= 0) line.splice(at, 1);
        next();
      };
      const entry = {
        held: false,
        reject,
        give: () => {
          entry.held = true;
          void Promise.resolve(given()).then((value) => {
            leave();
            resolve(value);
          });
        },
      };
      this.mine.push(leave);
      options.signal?.addEventListener('abort', () => {
        if (entry.held) return;
        leave();
        reject(new DOMException('aborted', 'AbortError'));
      });
      if (options.steal) {
        for (const other of line.splice(0, line[0]?.held ? 1 : 0)) other.reject(new DOMException('stolen', 'AbortError'));
        line.unshift(entry);
      } else line.push(entry);
      queueMicrotask(next);
    });
  }
}
