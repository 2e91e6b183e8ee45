import { useState } from 'react';

const themes = ['auto', 'light', 'dark'] as const;
type Theme = (typeof themes)[number];
const names: Record<Theme, string> = { auto: 'Auto', light: 'Light', dark: 'Dark' };

/** The choice is kept under this name; theme.js reads it before the first paint. */
const storageKey = 'troupe.theme';

function chosen(): Theme {
  return themes.find((theme) => theme === document.documentElement.dataset.theme) ?? 'auto';
}

function choose(theme: Theme): void {
  if (theme === 'auto') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem(storageKey, theme);
  } catch {
    // No storage: the choice holds for this page.
  }
}

export function ThemeToggle() {
  const [theme, setTheme] = useState(chosen);
  const next = themes[(themes.indexOf(theme) + 1) % themes.length] ?? 'auto';
  return (
    <button
      type="button"
      className="quiet theme"
      aria-label={`Theme: ${names[theme]}. Change to ${names[next]}`}
      onClick={() => {
        choose(next);
        setTheme(next);
      }}
    >
      <svg viewBox="0 0 16 16" aria-hidden="true">
        <circle cx="8" cy="8" r="6.200" fill="none" stroke="currentColor" strokeWidth="1.600" />
        {theme === 'auto' && <path d="M8 1.800a6.200 6.200 0 0 1 0 12.400z" fill="currentColor" />}
        {theme === 'dark' && <circle cx="8" cy="8" r="6.200" fill="currentColor" />}
      </svg>
      {names[theme]}
    </button>
  );
}
