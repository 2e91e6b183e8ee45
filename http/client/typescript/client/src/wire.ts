/** Why a token is wanted: what it will be used for, and whether the last one was refused. */
export interface TokenRequest {
  /** What the stream will ask for; empty for other requests. */
  topics: readonly string[];
  refused: boolean;
}

/** Gives the bearer token, or null for none (a cookie then). Called again when it was refused, has expired, or other topics are asked for. */
export type GetToken = (request: TokenRequest) => string | null | Promise<string | null>;

/** Sends requests with the token of the moment, and asks for another token once when it is refused. */
export class Wire {
  #token: Promise<string | null> | null = null;
  #topics = '';

  constructor(
    readonly base: string,
    readonly send: typeof fetch,
    readonly getToken: GetToken | undefined,
    readonly credentials: RequestCredentials,
  ) {}

  /** Forgets the token: the next request asks for another. */
  expire(): void {
    this.#token = null;
  }

  async request(path: string, init: RequestInit, topics?: readonly string[]): Promise<Response> {
    const used = this.#bearer(topics, false);
    const answer = await this.#once(path, init, await used);
    if (answer.status !== 401 || !this.getToken) return answer;
    void answer.body?.cancel();
    if (this.#token === used) this.#token = null; // else another request was refused, too, and has asked already
    return this.#once(path, init, await this.#bearer(topics, true));
  }

  #once(path: string, init: RequestInit, token: string | null): Promise<Response> {
    const headers = new Headers(init.headers);
    if (token) headers.set('Authorization', `Bearer ${token}`);
    return this.send(this.base + path, { credentials: this.credentials, ...init, headers });
  }

  #bearer(topics: readonly string[] | undefined, refused: boolean): Promise<string | null> {
    const wanted = topics?.join() ?? this.#topics;
    if (this.#token !== null && wanted === this.#topics) return this.#token;
    this.#topics = wanted;
    const token = (async () => this.getToken?.({ topics: topics ?? [], refused }) ?? null)();
    this.#token = token;
    token.catch(() => {
      if (this.#token === token) this.#token = null;
    });
    return token;
  }
}
