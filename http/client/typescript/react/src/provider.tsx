'use client';

import { connect, type GetToken, type Troupe } from '@troupe/client';
import { acrossTabs } from '@troupe/client/tabs';
import { createContext, type ReactNode, useContext, useEffect, useRef, useState } from 'react';

const TroupeContext = createContext<Troupe | null>(null);

export interface TroupeProviderProps {
  /** Of the server; the page's own by default. Read once. */
  baseUrl?: string | undefined;
  /** Gives the bearer token; without it, cookies are the credentials. */
  getToken?: GetToken | undefined;
  /** One connection for all tabs of this browser, not one for each. Read once. */
  shareAcrossTabs?: boolean | undefined;
  /** A client of your own instead; the other properties are not read then. */
  client?: Troupe | undefined;
  children?: ReactNode;
}

/** Has one client for all hooks below it. It connects when the first of them watches something. */
export function TroupeProvider({ baseUrl, getToken, shareAcrossTabs, client, children }: TroupeProviderProps) {
  const latest = useRef(getToken);
  useEffect(() => {
    latest.current = getToken;
  });
  const [own] = useState(
    () =>
      client ??
      connect({
        ...(baseUrl !== undefined && { baseUrl }),
        ...(getToken && { getToken: (request) => latest.current?.(request) ?? null }),
        ...(shareAcrossTabs && { link: acrossTabs() }),
      }),
  );
  return <TroupeContext.Provider value={client ?? own}>{children}</TroupeContext.Provider>;
}

/** The client of the provider above. */
export function useTroupe(): Troupe {
  const client = useContext(TroupeContext);
  if (!client) throw new Error('hooks of @troupe/react need a <TroupeProvider> above them');
  return client;
}
