/**
 * Where the pages are mounted: "/" or what a proxy puts before it, with a slash at the end. The server writes a relative
 * <base href>, so that neither it nor the pages need to be told the prefix. Read once: it must not follow the address.
 */
export const base = new URL(document.querySelector('base') ? document.baseURI : '/', location.href).pathname;

/** The address of a path of this server: "/v1/jobs" -> "/prefix/v1/jobs". */
export function served(path: string): string {
  return base === '/' || !path.startsWith('/') ? path : base + path.slice(1);
}

/** The path within the pages: "/prefix/ops/jobs" -> "/ops/jobs". */
export function within(pathname: string): string {
  return pathname.startsWith(base) ? `/${pathname.slice(base.length)}` : pathname;
}
