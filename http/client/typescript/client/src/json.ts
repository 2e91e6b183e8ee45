// Readers for JSON of unknown shape: what is missing or of another type reads as the fallback, never as a wrong type.

export type Json = Record<string, unknown>;

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function object(value: unknown): Json {
  return isObject(value) ? value : {};
}

export function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

export function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

export function textOrNull(value: unknown): string | null {
  return text(value) || null;
}

export function numberOrNull(value: unknown): number | null {
  return Number.isFinite(value) ? (value as number) : null;
}

export function number(value: unknown, fallback = 0): number {
  return numberOrNull(value) ?? fallback;
}

/** Milliseconds since 1970 of an RFC 3339 time, or null. */
export function timeOrNull(value: unknown): number | null {
  return numberOrNull(Date.parse(text(value)));
}

export function parseObject(source: string): Json | null {
  try {
    const value: unknown = JSON.parse(source);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}
