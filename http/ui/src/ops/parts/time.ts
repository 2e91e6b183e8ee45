/** "0.4 s", "38 s", "4 min 10 s", "2 h 5 min", "3 d 4 h": two units at most. */
export function duration(ms: number): string {
  if (!Number.isFinite(ms)) return '–';
  if (ms < 0) return `−${duration(-ms)}`;
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 10_000) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`;
  const seconds = Math.floor(ms / 1_000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return two(Math.floor(seconds / 60), 'min', seconds % 60, 's');
  if (seconds < 86_400) return two(Math.floor(seconds / 3_600), 'h', Math.floor((seconds % 3_600) / 60), 'min');
  return two(Math.floor(seconds / 86_400), 'd', Math.floor((seconds % 86_400) / 3_600), 'h');
}

function two(a: number, unit: string, b: number, smaller: string): string {
  return b === 0 ? `${a} ${unit}` : `${a} ${unit} ${b} ${smaller}`;
}

/** "just now", "12 s ago", "3 min ago", "in 5 min". Whole units. */
export function relative(at: number, now: number): string {
  const ms = now - at;
  const distance = Math.abs(ms);
  if (distance < 1_500) return 'just now';
  const [n, unit] =
    distance < 60_000
      ? [Math.floor(distance / 1_000), 's']
      : distance < 3_600_000
        ? [Math.floor(distance / 60_000), 'min']
        : distance < 86_400_000
          ? [Math.floor(distance / 3_600_000), 'h']
          : [Math.floor(distance / 86_400_000), 'd'];
  return ms < 0 ? `in ${n} ${unit}` : `${n} ${unit} ago`;
}

const local = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium' });

/** The time here and in UTC, to the millisecond. */
export function absolute(at: number): string {
  return `${local.format(at)}, ${new Date(at).toISOString()}`;
}

/** "14:03:22.417", by the clock here. */
export function clockTime(at: number): string {
  const date = new Date(at);
  const pad = (n: number, width = 2) => String(n).padStart(width, '0');
  return `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}.${pad(date.getMilliseconds(), 3)}`;
}
