import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    troupe: string;
  }
}

/** Builds the binary that the tests start; TROUPE_BIN names one that is built already. */
export default function setup(project: TestProject): (() => void) | undefined {
  const built = process.env.TROUPE_BIN;
  if (built) {
    project.provide('troupe', built);
    return undefined;
  }
  const folder = mkdtempSync(join(tmpdir(), 'troupe-client-'));
  const binary = join(folder, 'troupe');
  const root = fileURLToPath(new URL('../../../../..', import.meta.url));
  execFileSync('go', ['build', '-buildvcs=false', '-o', binary, './cmd/troupe'], { cwd: root, stdio: 'inherit' });
  project.provide('troupe', binary);
  return () => rmSync(folder, { recursive: true, force: true });
}
