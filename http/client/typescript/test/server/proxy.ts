import { once } from 'node:events';
import { createServer, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What is done to one stream. */
export type Fault =
  /** Broken off after so many bytes of the body; before the headers with -1. */
  | { cut: number }
  /** Answered by the proxy itself. */
  | { status: number; retryAfter: number }
  /** Kept back, headers and all, until the client gives up. */
  | 'hold';

/** Stands before a node and does harm to its streams, one fault each, first come first; what is no stream passes. */
export class FaultProxy {
  readonly faults: Fault[] = [];
  streams = 0;
  /** Bytes of streams that were passed on. */
  passed = 0;
  readonly #server: Server;

  private constructor(target: string) {
    this.#server = createServer((asked, answer) => {
      const isStream = asked.url?.startsWith('/v1/stream') || asked.url?.includes('follow=1');
      const fault = isStream ? this.faults.shift() : undefined;
      if (isStream) this.streams++;
      if (typeof fault === 'object' && 'status' in fault) {
        answer.writeHead(fault.status, { 'Retry-After': String(fault.retryAfter) }).end();
        return;
      }
      const onward = request(target + asked.url, { method: asked.method, headers: { ...asked.headers, host: new URL(target).host } }, (from) => {
        if (fault === 'hold') return void from.resume();
        if (fault?.cut === -1) return void asked.socket.destroy();
        answer.writeHead(from.statusCode ?? 502, from.headers);
        answer.flushHeaders();
        let left = fault?.cut ?? Number.POSITIVE_INFINITY;
        from.on('data', (data: Buffer) => {
          if (isStream) this.passed += data.length;
          if (data.length < left) {
            left -= data.length;
            answer.write(data);
            return;
          }
          cut(answer, data.subarray(0, left));
          onward.destroy();
        });
        from.on('end', () => answer.end());
        from.on('error', () => answer.destroy());
      });
      onward.on('error', () => answer.destroy());
      answer.on('close', () => onward.destroy());
      asked.pipe(onward);
    });
  }

  static async before(target: string, ...faults: Fault[]): Promise<FaultProxy> {
    const proxy = new FaultProxy(target);
    proxy.faults.push(...faults);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

/** Sends what may still be sent, and then no end. */
function cut(answer: ServerResponse, data: Buffer): void {
  if (data.length === 0) return void answer.destroy();
  answer.write(data, () => answer.destroy());
}
