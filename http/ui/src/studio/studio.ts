import {
  type Brief,
  cancelJob,
  createVideo,
  getSession,
  listJobs,
  type Problem,
  type Resource,
  retryJob,
  type Session,
  signIn,
  type VideoRequest,
} from '../api';
import { Cell, type Job, type Troupe } from '@troupe/client';
import { client } from '../client';
import { type Connected, connected } from '../connection';
import { Briefs } from './briefs';
import { Cancels } from './cancels';
import { ServerClock } from './clock';
import { type Draft, Drafts, type Entry } from './drafts';
import { Stages } from './stages';
import { JobStore } from './store';

export const kind = 'video.generate';
const pageSize = 24;
/** Cards at first: each may hold a video. */
const firstCards = 48;

/** What is known about jobs older than those on the screen. */
export interface Older {
  next: string | null;
  /** There are more: known and not shown, or to be read. */
  more: boolean;
  loading: boolean;
  /** The first page has been read, so that an empty wall is known to be empty. */
  read: boolean;
}

/**
 * Everything behind the page: the jobs and their stream, the orders on their way, and what a person can do. It outlives
 * components; the page holds it while it is on the screen.
 */
export class Studio {
  readonly jobs: JobStore;
  readonly client: Troupe;
  readonly connection: Cell<Connected>;
  readonly entries = new Cell<readonly Entry[]>([]);
  readonly older = new Cell<Older>({ next: null, more: false, loading: false, read: false });
  readonly ended = new Cell<Job | null>(null);
  /** Actions that were refused, by job. */
  readonly troubles = new Cell<ReadonlyMap<string, Problem>>(new Map());
  readonly session = new Cell<Session | null>(null);
  readonly clock = new ServerClock();
  readonly stages = new Stages();
  readonly drafts = new Drafts();
  readonly briefs: Briefs;
  readonly cancels: Cancels;
  /** What the stream told of and is gone: a job that was purged. */
  #told = new Set<string>();
  #arranged: readonly unknown[] = [];
  #cards = firstCards;
  #isSignedOut = false;

  constructor(connection = client()) {
    this.client = connection;
    this.connection = new Cell(connected(connection.connection.get()));
    this.jobs = new JobStore({ onEnd: (job) => this.#onEnd(job) });
    this.briefs = new Briefs(
      (resource) => this.#take(resource),
      (id) => this.#gone(id),
    );
    this.cancels = new Cancels((id, keepalive) => void this.#act(id, () => cancelJob(id, keepalive)));
    this.jobs.watchList(() => this.#arrange());
    this.drafts.watch(() => this.#arrange());
  }

  /** Keeps the stream open until the returned function is called. */
  hold(): () => void {
    const leave = () => this.cancels.flush();
    addEventListener('pagehide', leave);
    const unwatchConnection = this.client.connection.watch(() => this.#onConnection());
    const unwatchJobs = this.client.jobs.watchAll(() => this.#onJobs());
    const forget = this.client.watch('owner:me');
    return () => {
      removeEventListener('pagehide', leave);
      unwatchConnection();
      unwatchJobs();
      forget();
      this.cancels.flush();
    };
  }

  /** Orders a video. Rejects with a Problem; the same key may then be sent again. */
  async order(video: VideoRequest, key: string): Promise<void> {
    const draft: Draft = { key, video, sentAt: Date.now() };
    this.drafts.add(draft);
    try {
      const resource = await createVideo(video, key);
      this.jobs.batch(() => {
        this.#take({ ...resource, brief: resource.brief ?? briefOf(video) });
        this.drafts.settle(key, resource.job.id);
      });
    } catch (problem) {
      this.drafts.settle(key, null);
      this.#unauthorized(problem as Problem);
      throw problem;
    }
  }

  /** Gives a job that ended badly a new life. What goes wrong is put into `troubles`. */
  retry(id: string): Promise<void> {
    return this.#act(id, () => retryJob(id));
  }

  async signIn(token: string): Promise<void> {
    await signIn(token);
    this.reconnect();
  }

  /** Starts again after the stream was closed for good or asked for a sign-in. */
  reconnect(): void {
    this.#isSignedOut = false;
    this.client.reconnect();
    this.#onConnection();
  }

  async readOlder(): Promise<void> {
    const { next, loading } = this.older.get();
    if (loading) return;
    this.#cards += pageSize;
    this.#arrange();
    if (next !== null && this.jobs.ids().length < this.#cards) await this.#list(next);
  }

  /** Takes what the stream told. What it told of before and has no more is gone. */
  #onJobs(): void {
    const told = new Set<string>();
    this.jobs.batch(() => {
      for (const job of this.client.jobs.all()) {
        told.add(job.id);
        if (this.jobs.get(job.id)?.job !== job) this.#apply(job);
      }
      for (const id of this.#told) if (!told.has(id)) this.#gone(id);
    });
    this.#told = told;
  }

  #onConnection(): void {
    const before = this.connection.get();
    const now = connected(this.client.connection.get());
    this.clock.set(now.skewMs);
    this.connection.set(this.#isSignedOut ? { ...now, phase: 'signed_out' } : now);
    // What came and ended while nobody listened is in the list only; so is everything where no stream gets through.
    if (isTold(now) && !isTold(before)) void this.#list(null);
  }

  #apply(job: Job): void {
    if (job.kind !== kind) return;
    this.stages.learn(job);
    this.jobs.apply(job);
  }

  #take({ job, brief }: Resource): void {
    if (brief) this.briefs.set(job.id, brief);
    this.#apply(job);
  }

  #takeAll(resources: Resource[]): void {
    this.jobs.batch(() => {
      for (const resource of resources) this.#take(resource);
    });
  }

  #onEnd(job: Job): void {
    this.cancels.undo(job.id);
    this.#trouble(job.id, null);
    if (job.status === 'completed') this.briefs.read(job.id); // its result is not on the stream
    this.ended.set(job);
  }

  #gone(id: string): void {
    this.briefs.forget(id);
    this.jobs.remove(id);
  }

  #arrange(): void {
    const inputs = [this.jobs.ids(), this.drafts.get(), this.#cards];
    if (inputs.every((input, i) => input === this.#arranged[i])) return;
    this.#arranged = inputs;
    const jobs = this.jobs.ids().flatMap((id) => {
      const job = this.jobs.get(id)?.job;
      return job ? [{ id, createdAt: this.clock.local(job.createdAt) }] : [];
    });
    this.entries.set(this.drafts.entries(jobs).slice(0, this.#cards));
    this.#setOlder({});
  }

  #setOlder(change: Partial<Older>): void {
    const older = { ...this.older.get(), ...change };
    this.older.set({ ...older, more: older.next !== null || this.jobs.ids().length > this.#cards });
  }

  async #list(cursor: string | null): Promise<void> {
    const first = cursor === null;
    this.#setOlder({ loading: true });
    try {
      const { principal } = await this.#whoAmI();
      const page = await listJobs(kind, principal, pageSize, cursor);
      this.#takeAll(page.resources);
      const known = first && this.older.get().read; // further pages were read already: go on from there
      this.briefs.open();
      this.#setOlder({ loading: false, read: true, ...(!known && { next: page.next }) });
    } catch (problem) {
      this.briefs.open();
      this.#setOlder({ loading: false });
      this.#unauthorized(problem as Problem);
    }
  }

  async #whoAmI(): Promise<Session> {
    const known = this.session.get();
    if (known !== null) return known;
    const session = await getSession();
    this.session.set(session);
    return session;
  }

  async #act(id: string, action: () => Promise<Resource | null>): Promise<void> {
    this.#trouble(id, null);
    try {
      const resource = await action();
      if (resource) this.#take(resource);
    } catch (problem) {
      this.#trouble(id, problem as Problem);
      this.#unauthorized(problem as Problem);
      this.briefs.read(id); // it may have gone on meanwhile: show what is true
    }
  }

  #trouble(id: string, problem: Problem | null): void {
    const troubles = new Map(this.troubles.get());
    if (problem === null ? troubles.delete(id) : troubles.set(id, problem)) this.troubles.set(troubles);
  }

  #unauthorized(problem: Problem): void {
    if (problem.status !== 401) return;
    this.#isSignedOut = true;
    this.#onConnection();
  }
}

function isTold({ phase, complete }: Connected): boolean {
  return phase === 'polling' || (phase === 'live' && complete);
}

function briefOf(video: VideoRequest): Brief {
  const { prompt, imageUrl = null, duration = null } = video;
  return { prompt, imageUrl, duration, videoUrl: null, posterUrl: null };
}
