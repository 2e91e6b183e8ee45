const key = 'troupe.together';

/** Names the time since somebody last signed in or out in this browser: tabs share a stream with those of the same time only. */
export function togetherSince(): string {
  try {
    return localStorage.getItem(key) ?? '';
  } catch {
    return ''; // storage is blocked: then nobody could tell anyway
  }
}

/** Somebody else may be here from now on. Pages that are loaded later have nothing in common with those that are open. */
export function beginAnew(): void {
  try {
    localStorage.setItem(key, String(Date.now()));
  } catch {
    // as above
  }
}
