import type { Job } from '@troupe/client';

/** More stages than this are not drawn. */
export const maxStages = 8;

/** The names are kept under this name, so that they are known again after a reload. */
const storageKey = 'troupe.stages';

/** Names of the stages of this kind of job, learned as jobs pass them: a job tells only the one that it is in. */
export class Stages {
  readonly #names: Map<string, string>;

  constructor() {
    this.#names = new Map(remembered());
  }

  learn({ progress: { stage, stageIndex, stageCount } }: Job): void {
    if (stage === '' || stageIndex < 1 || stageIndex > stageCount || stageCount > maxStages) return;
    const place = `${stageCount}/${stageIndex}`;
    if (this.#names.get(place) === stage) return;
    this.#names.set(place, stage);
    try {
      localStorage.setItem(storageKey, JSON.stringify([...this.#names]));
    } catch {
      // No storage: they are learned anew.
    }
  }

  /** The stages of a job in order, with the name of each that is known. */
  of({ progress: { stageCount } }: Job): (string | null)[] {
    const length = Math.max(0, Math.min(stageCount, maxStages));
    return Array.from({ length }, (_, i) => this.#names.get(`${stageCount}/${i + 1}`) ?? null);
  }
}

function remembered(): [string, string][] {
  try {
    const entries: unknown = JSON.parse(localStorage.getItem(storageKey) ?? '[]');
    return Array.isArray(entries) ? entries.filter(isEntry) : [];
  } catch {
    return [];
  }
}

function isEntry(entry: unknown): entry is [string, string] {
  return Array.isArray(entry) && typeof entry[0] === 'string' && typeof entry[1] === 'string';
}
