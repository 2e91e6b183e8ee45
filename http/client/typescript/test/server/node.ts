import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject, vi } from 'vitest';

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** A node of the real thing, with a database of its own. */
export class TroupeNode {
  #process: ChildProcess | null = null;
  #log = '';
  readonly #data = mkdtempSync(join(tmpdir(), 'troupe-data-'));

  private constructor(
    readonly port: number,
    readonly flags: string[],
  ) {}

  static async start(...flags: string[]): Promise<TroupeNode> {
    const node = new TroupeNode(await freePort(), flags);
    await node.start();
    return node;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    const args = ['dev', '--listen', `127.0.0.1:${this.port}`, '--data', this.#data, '--lease', '3s', '--ffmpeg', 'none', ...this.flags];
    const process = spawn(inject('troupe'), args, { cwd: this.#data, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#process = process;
    for (const out of [process.stdout, process.stderr]) out?.on('data', (data: Buffer) => (this.#log = (this.#log + String(data)).slice(-5_000)));
    await vi.waitFor(
      async () => {
        if (process.exitCode !== null) throw new Error(`the node ended: ${this.#log}`);
        const answer = await fetch(`${this.url}/readyz`);
        if (!answer.ok) throw new Error(`not ready: ${answer.status} ${this.#log}`);
      },
      { timeout: 20_000, interval: 50 },
    );
  }

  /** As a crash does: nothing is handed back. */
  async kill(): Promise<void> {
    const process = this.#process;
    this.#process = null;
    if (!process || process.exitCode !== null) return;
    process.kill('SIGKILL');
    await once(process, 'exit');
  }

  /** As a deploy does. */
  async terminate(): Promise<void> {
    const process = this.#process;
    this.#process = null;
    process?.kill('SIGTERM');
    if (process && process.exitCode === null) await once(process, 'exit');
  }

  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.#data, { recursive: true, force: true });
  }
}
