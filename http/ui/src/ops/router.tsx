import { type AnchorHTMLAttributes, type MouseEvent, useCallback, useMemo, useSyncExternalStore } from 'react';
import { served, within } from '../base';

/** The URL is the state: path, and what is asked for in the query. */
export interface Place {
  path: string;
  query: URLSearchParams;
}

const watchers = new Set<() => void>();

function tell(): void {
  for (const watcher of [...watchers]) watcher();
}

function watch(watcher: () => void): () => void {
  if (watchers.size === 0) addEventListener('popstate', tell);
  watchers.add(watcher);
  return () => {
    watchers.delete(watcher);
    if (watchers.size === 0) removeEventListener('popstate', tell);
  };
}

/** Goes to a path of the pages ("/ops/jobs?q=…"). With replace the step is not kept in the history. */
export function navigate(to: string, how: { replace?: boolean } = {}): void {
  history[how.replace ? 'replaceState' : 'pushState'](null, '', served(to));
  tell();
}

export function usePlace(): Place {
  const href = useSyncExternalStore(watch, () => location.pathname + location.search);
  return useMemo(() => {
    const [path = '/', search = ''] = href.split('?', 2);
    return { path: within(path), query: new URLSearchParams(search) };
  }, [href]);
}

/** One parameter of the query, bound to the URL. Setting it to '' takes it out. */
export function useQuery(name: string): [string, (value: string, how?: { replace?: boolean }) => void] {
  const { path, query } = usePlace();
  const set = useCallback(
    (value: string, how?: { replace?: boolean }) => {
      const next = new URLSearchParams(location.search);
      if (value === '') next.delete(name);
      else next.set(name, value);
      navigate(path + (next.size > 0 ? `?${next}` : ''), how);
    },
    [path, name],
  );
  return [query.get(name) ?? '', set];
}

/** Parameters of a path by a pattern ("/ops/jobs/:id"); null if it does not match. A pattern's last "*" takes the rest. */
export function match(pattern: string, path: string): Record<string, string> | null {
  const wants = pattern.split('/').filter(Boolean);
  const has = path.split('/').filter(Boolean);
  if (wants.at(-1) === '*' ? has.length < wants.length - 1 : has.length !== wants.length) return null;
  const found: Record<string, string> = {};
  for (const [i, want] of wants.entries()) {
    if (want === '*') return found;
    const part = has[i] ?? '';
    if (want.startsWith(':')) found[want.slice(1)] = decode(part);
    else if (want !== part) return null;
  }
  return found;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

type LinkProps = AnchorHTMLAttributes<HTMLAnchorElement> & { to: string };

/** A link within the pages: a real address, so that it can be copied and opened in another tab. */
export function Link({ to, onClick, ...rest }: LinkProps) {
  function go(event: MouseEvent<HTMLAnchorElement>): void {
    onClick?.(event);
    const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    if (event.defaultPrevented || !plain) return;
    event.preventDefault();
    navigate(to);
  }
  return <a href={served(to)} onClick={go} {...rest} />;
}
