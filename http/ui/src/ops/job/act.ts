import { Problem } from '../../api';
import { problemTitle, say } from '../parts';

/** Does what a person asked for, and says how it went. Resolves to whether it did. */
export async function act(done: string, doing: () => Promise<unknown>): Promise<boolean> {
  try {
    await doing();
    say(done, { tone: 'good' });
    return true;
  } catch (fault) {
    const problem = fault instanceof Problem ? fault : new Problem({ status: 0, code: 'page', detail: String(fault) });
    say(problem.detail ? `${problem.detail.slice(0, 300)}` : problemTitle(problem), { tone: 'bad' });
    return false;
  }
}
