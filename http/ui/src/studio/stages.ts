import type { Job } from '../stream';

/** Names of the stages of this kind of job, learned as jobs pass them: a job tells only the one that it is in. */
export class Stages {
  readonly #names = new Map<string, string>();

  learn({ progress: { stage, stageIndex, stageCount } }: Job): void {
    if (stage === '' || stageIndex < 1 || stageIndex > stageCount || stageCount > maxStages) return;
    this.#names.set(`${stageCount}/${stageIndex}`, stage);
  }

  /** The stages of a job in order, with the name of each that is known. */
  of({ progress: { stageCount } }: Job): (string | null)[] {
    const length = Math.min(stageCount, maxStages);
    return Array.from({ length }, (_, i) => this.#names.get(`${stageCount}/${i + 1}`) ?? null);
  }
}

/** More stages than this are not drawn. */
export const maxStages = 8;
