import {
  type Brief,
  cancelJob,
  createVideo,
  listJobs,
  maxIds,
  type Problem,
  pollJobs,
  type Resource,
  retryJob,
  signIn,
  type VideoRequest,
} from '../api';
import { Cell, Connection, type ConnectionState, type Job, JobStore, Poller, type StreamEvent } from '../stream';
import { served } from '../base';
import { Briefs } from './briefs';
import { Cancels } from './cancels';
import { ServerClock } from './clock';
import { type Draft, Drafts, type Entry } from './drafts';
import { Lingering } from './linger';
import { Stages } from './stages';

export const kind = 'video.generate';
const streamUrl = '/v1/stream?topic=all';
const pageSize = 24;
/** Cards at first: each may hold a video. */
const firstCards = 48;
const pollMs = 3_000;
const lingerMs = 1_000;

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
  readonly connection = new Cell<ConnectionState>(new Connection({ url: '', onEvents: () => {} }).state);
  readonly entries = new Cell<readonly Entry[]>([]);
  readonly older = new Cell<Older>({ next: null, more: false, loading: false, read: false });
  readonly ended = new Cell<Job | null>(null);
  /** Actions that were refused, by job. */
  readonly troubles = new Cell<ReadonlyMap<string, Problem>>(new Map());
  readonly clock = new ServerClock();
  readonly stages = new Stages();
  readonly drafts = new Drafts();
  readonly briefs: Briefs;
  readonly cancels: Cancels;
  readonly #connection: Connection;
  readonly #poller = new Poller((signal) => this.#poll(signal), pollMs);
  readonly #running = new Lingering(
    () => this.#start(),
    () => this.#stop(),
    lingerMs,
  );
  /** Jobs that the snapshot had so far; null when none is being read. */
  #snapshot: Set<string> | null = null;
  #polled = { ids: '', etag: '' };
  #arranged: readonly unknown[] = [];
  #cards = firstCards;
  #unlisten: () => void = () => {};

  constructor() {
    this.jobs = new JobStore({ onEnd: (job) => this.#onEnd(job) });
    this.briefs = new Briefs(
      (resource) => this.#take(resource),
      (id) => this.#gone(id),
    );
    this.cancels = new Cancels((id, keepalive) => void this.#act(id, () => cancelJob(id, keepalive)));
    this.#connection = new Connection({
      url: served(streamUrl),
      onEvents: (events) => this.#onAll(events),
      onState: (state) => this.#onState(state),
    });
    this.jobs.watchList(() => this.#arrange());
    this.drafts.watch(() => this.#arrange());
  }

  /** Keeps the stream open until the returned function is called. */
  hold(): () => void {
    return this.#running.hold();
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
    this.#connection.stop();
    this.#connection.start();
  }

  async readOlder(): Promise<void> {
    const { next, loading } = this.older.get();
    if (loading) return;
    this.#cards += pageSize;
    this.#arrange();
    if (next !== null && this.jobs.ids().length < this.#cards) await this.#list(next);
  }

  #start(): void {
    const wake = () => this.#connection.wake();
    const seen = () => document.visibilityState === 'visible' && wake();
    const leave = () => this.cancels.flush();
    addEventListener('online', wake);
    addEventListener('pageshow', wake);
    addEventListener('pagehide', leave);
    document.addEventListener('visibilitychange', seen);
    this.#unlisten = () => {
      removeEventListener('online', wake);
      removeEventListener('pageshow', wake);
      removeEventListener('pagehide', leave);
      document.removeEventListener('visibilitychange', seen);
    };
    this.#connection.start();
  }

  #stop(): void {
    this.#unlisten();
    this.cancels.flush();
    this.#poller.stop();
    this.#connection.stop();
  }

  #onAll(events: StreamEvent[]): void {
    this.jobs.batch(() => {
      for (const event of events) this.#on(event);
    });
  }

  #on(event: StreamEvent): void {
    switch (event.type) {
      case 'hello':
        this.#snapshot = event.mode === 'snapshot' ? new Set() : null;
        return this.clock.heard(event.serverNow);
      case 'hb':
        return this.clock.heard(event.serverNow);
      case 'job':
        this.#snapshot?.add(event.job.id);
        return this.#apply(event.job);
      case 'removed':
        return this.jobs.remove(event.id, event.rev);
      case 'ready':
        return this.#onReady();
    }
  }

  /**
   * A snapshot has every live job and those that ended lately. What is alive on the screen and not in it has ended
   * longer ago, and what came and ended meanwhile is in the list.
   */
  #onReady(): void {
    const snapshot = this.#snapshot;
    this.#snapshot = null;
    if (snapshot === null) return;
    for (const id of this.jobs.live()) if (!snapshot.has(id)) this.briefs.read(id);
    void this.#list(null);
  }

  #onState(state: ConnectionState): void {
    const before = this.connection.get().phase;
    this.connection.set(state);
    if (state.phase === 'polling') this.#poller.start();
    else if (before === 'polling') this.#poller.stop();
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
      const page = await listJobs(kind, pageSize, cursor);
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

  async #poll(signal: AbortSignal): Promise<void> {
    const ids = this.jobs.live().slice(0, maxIds);
    if (ids.length === 0) return this.#list(null);
    const question = ids.join();
    const answer = await pollJobs(ids, question === this.#polled.ids ? this.#polled.etag : '', signal);
    if (answer === null) return;
    this.#polled = { ids: question, etag: answer.etag };
    this.#takeAll(answer.resources);
    for (const id of answer.missing) this.#gone(id);
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
    this.#connection.stop();
    this.connection.set({ ...this.connection.get(), phase: 'signed_out' });
  }
}

function briefOf(video: VideoRequest): Brief {
  const { prompt, imageUrl = null, duration = null } = video;
  return { prompt, imageUrl, duration, videoUrl: null, posterUrl: null };
}
