const whole = new Intl.NumberFormat('en');
const one = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

/** "0", "1,204", "38.2K", "4.1M". Exact below ten thousand. */
export function count(n: number): string {
  return Math.abs(n) < 10_000 ? whole.format(n) : short.format(n);
}

/** Per second: "0", "0.4", "38", "1.2K". */
export function rate(n: number): string {
  if (n === 0) return '0';
  if (n < 0.1) return '<0.1';
  return n < 10 ? one.format(n) : count(Math.round(n));
}

/** "3 jobs", "1 job". */
export function plural(n: number, noun: string, nouns = `${noun}s`): string {
  return `${count(n)} ${n === 1 ? noun : nouns}`;
}
