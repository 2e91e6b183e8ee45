/** One connection for all tabs of a browser: one of them has it and tells the others, another takes over when it is gone. */

import { Connection, type ConnectionState, idle, type Link, type LinkHost } from './connection.js';
import type { StreamEvent } from './events.js';
import type { Job } from './job.js';
import { Problem } from './problem.js';
import { maxTopics, shows } from './topics.js';

/** Wants that come one after another are asked for together. */
const gatherMs = 20;
/** How often the leading tab says that it is there. Browsers slow the timers of hidden tabs down, to once a minute at worst. */
const beatMs = 10_000;
/** After this silence a tab that is looked at takes the lead. */
const silenceMs = 40_000;

export interface AcrossTabsOptions {
  /** Tabs share with those of the same name and server: name it after the user where tabs may be of different users. */
  name?: string;
  locks?: LockManager;
  channel?: (name: string) => BroadcastChannel;
}

type Told = Omit<ConnectionState, 'problem'> & { problem: Pick<Problem, 'status' | 'code' | 'message' | 'retryMs'> | null };

type Message =
  /** From a tab that does not lead. */
  | { type: 'want'; tab: string; topics: readonly string[]; known: Record<string, number> }
  | { type: 'wake'; anew: boolean }
  /** From the one that leads; without `to`, for all. */
  | { type: 'leads' }
  | { type: 'news'; to?: string; events: StreamEvent[]; state: Told | null }
  | { type: 'alone'; to: string };

/**
 * For the option `link` of a client. The tab that holds a Web Lock has the connection, for the topics of all; what it hears it
 * tells on a BroadcastChannel. When it is closed or dies the browser gives the lock to another tab, which connects anew: revs see to it
 * that nothing is lost or shown twice. Where a browser has no locks or channels, each tab has its own connection.
 */
export function acrossTabs(options: AcrossTabsOptions = {}): (host: LinkHost) => Link {
  return (host) => {
    const locks = options.locks ?? (typeof navigator === 'undefined' ? undefined : navigator.locks);
    const channel = options.channel ?? (typeof BroadcastChannel === 'undefined' ? undefined : (name) => new BroadcastChannel(name));
    const name = `troupe:${host.wire.base}:${options.name ?? ''}`;
    return locks && channel ? new SharedLink(host, locks, () => channel(name), name) : new Connection(host);
  };
}

interface Lead {
  connection: Connection;
  /** What each other tab wants. */
  others: Map<string, readonly string[]>;
  end: AbortController;
}

class SharedLink implements Link {
  readonly #tab = crypto.randomUUID();
  #mine: readonly string[] = [];
  #channel: BroadcastChannel | null = null;
  /** Ends this tab's part: its place in the line, its sign of life, its lead. */
  #part = new AbortController();
  #lead: Lead | null = null;
  /** Of its own, when all together want too much. */
  #alone: Connection | null = null;
  #state = idle;
  #heardAt = 0;
  #gathering: ReturnType<typeof setTimeout> | undefined;

  constructor(
    readonly host: LinkHost,
    readonly locks: LockManager,
    readonly open: () => BroadcastChannel,
    readonly name: string,
  ) {}

  want(topics: readonly string[]): void {
    this.#mine = topics;
    if (topics.length === 0) this.#leave();
    else if (this.#alone) this.#alone.want(topics);
    else if (!this.#channel) this.#join();
    else if (this.#lead) this.#gather();
    else this.#sayWant();
  }

  wake(anew: boolean): void {
    const connection = this.#alone ?? this.#lead?.connection;
    if (connection) connection.wake(anew);
    else this.#say({ type: 'wake', anew });
  }

  #join(): void {
    const part = new AbortController();
    this.#part = part;
    this.#channel = this.open();
    this.#channel.onmessage = ({ data }: MessageEvent<Message>) => this.#hear(data);
    this.#show({ ...idle, phase: 'connecting' });
    this.#heardAt = Date.now();
    const timer = setInterval(() => this.#beat(), beatMs);
    part.signal.addEventListener('abort', () => clearInterval(timer));
    // Whoever leads waits for this lock: it gets it when this tab is gone, however that came.
    this.#hold(`${this.name}/${this.#tab}`, {}, part.signal, () => this.#sayWant());
    this.#campaign(false);
  }

  #leave(): void {
    if (this.#lead === null) this.#say({ type: 'want', tab: this.#tab, topics: [], known: {} });
    this.#part.abort();
    this.#resign();
    this.#alone?.want([]);
    this.#alone = null;
    this.#channel?.close();
    this.#channel = null;
    this.#show(idle);
  }

  /** Holds a lock until the signal, once it is given. */
  #hold(name: string, options: LockOptions, until: AbortSignal, onGiven: () => void, onLost?: () => void): void {
    const given = () =>
      new Promise<void>((release) => {
        if (until.aborted) return release();
        until.addEventListener('abort', () => release());
        onGiven();
      });
    const waiting = options.steal ? options : { ...options, signal: until };
    this.locks.request(name, waiting, given).catch(() => until.aborted || onLost?.());
  }

  #campaign(steal: boolean): void {
    this.#hold(this.name, steal ? { steal } : {}, this.#part.signal, () => this.#takeLead(), () => this.#loseLead());
  }

  #takeLead(): void {
    this.#resign();
    const host: LinkHost = {
      ...this.host,
      onEvents: (events) => {
        this.host.onEvents(events);
        this.#say({ type: 'news', events, state: null });
      },
      onState: (state) => {
        this.#show(state);
        this.#say({ type: 'news', events: [], state: told(state) });
      },
    };
    this.#lead = { connection: new Connection(host), others: new Map(), end: new AbortController() };
    this.#say({ type: 'leads' });
    this.#gather();
  }

  /** Another tab has taken it: this one seemed dead, and stands in line again. */
  #loseLead(): void {
    this.#resign();
    this.#heardAt = Date.now();
    this.#sayWant();
    this.#campaign(false);
  }

  #resign(): void {
    const lead = this.#lead;
    this.#lead = null;
    clearTimeout(this.#gathering);
    this.#gathering = undefined;
    lead?.end.abort();
    if (!lead) return;
    const say = this.#channel; // the others are not to hear that it closes
    this.#channel = null;
    lead.connection.want([]);
    this.#channel = say;
  }

  #beat(): void {
    if (this.#alone) return;
    if (this.#lead) return this.#say({ type: 'news', events: [], state: null });
    const seen = typeof document === 'undefined' || document.visibilityState === 'visible';
    if (!seen || Date.now() - this.#heardAt < silenceMs) return;
    this.#heardAt = Date.now();
    this.#campaign(true);
  }

  #hear(message: Message): void {
    if (this.#lead) return this.#hearFollower(this.#lead, message);
    if (this.#alone) return;
    if (message.type === 'leads' || message.type === 'news') this.#heardAt = Date.now();
    if (message.type === 'leads') this.#sayWant();
    else if (message.type === 'alone' && message.to === this.#tab) {
      this.#alone = new Connection({ ...this.host, onState: (state) => this.#show(state) });
      this.#alone.want(this.#mine);
    } else if (message.type === 'news' && (message.to ?? this.#tab) === this.#tab) {
      const events = message.events.filter((event) => this.#concerns(event));
      if (events.length > 0) this.host.onEvents(events);
      if (message.state) this.#show(heard(message.state));
    }
  }

  #hearFollower(lead: Lead, message: Message): void {
    if (message.type === 'wake') lead.connection.wake(message.anew);
    else if (message.type === 'want') {
      const { tab, topics, known } = message;
      const isNew = !lead.others.has(tab);
      const all = new Set([...this.#mine, ...topics, ...[...lead.others].flatMap(([other, its]) => (other === tab ? [] : its))]);
      if (all.size > maxTopics) {
        lead.others.delete(tab);
        return this.#say({ type: 'alone', to: tab });
      }
      lead.others.set(tab, topics);
      if (isNew) {
        const gone = () => {
          lead.others.delete(tab);
          this.#gather();
        };
        this.locks.request(`${this.name}/${tab}`, { signal: lead.end.signal }, gone).catch(() => undefined);
      }
      const news = this.host.jobs.all().filter((job) => job.rev > (known[job.id] ?? -1) && topics.some((topic) => shows(topic, job)));
      this.#say({ type: 'news', to: tab, events: news.flatMap((job) => this.#snapshot(job)), state: told(this.#state) });
      this.#gather();
    }
  }

  #snapshot(job: Job): StreamEvent[] {
    const place = this.host.jobs.place(job.id);
    return [{ type: 'job', job }, ...(place ? [{ type: 'place', place } as const] : [])];
  }

  #concerns(event: StreamEvent): boolean {
    if (event.type === 'job') return this.#mine.some((topic) => shows(topic, event.job));
    return event.type !== 'removed' || this.#mine.includes(`job:${event.id}`) || this.host.jobs.get(event.id) !== undefined;
  }

  /** Tells the connection what all tabs want. */
  #gather(): void {
    this.#gathering ??= setTimeout(() => {
      this.#gathering = undefined;
      const all = new Set([...this.#mine, ...[...(this.#lead?.others.values() ?? [])].flat()]);
      this.#lead?.connection.want([...all].sort());
      this.#show(this.#state);
    }, gatherMs);
  }

  #sayWant(): void {
    if (!this.#lead && !this.#alone) this.#say({ type: 'want', tab: this.#tab, topics: this.#mine, known: this.host.known() });
  }

  #say(message: Message): void {
    this.#channel?.postMessage(message);
  }

  /** What is covered for others is no business of this tab. */
  #show(state: ConnectionState): void {
    this.#state = state;
    this.host.onState({ ...state, covered: state.covered.filter((topic) => this.#mine.includes(topic)) });
  }
}

/** Errors lose what they are on a channel. */
function told({ problem, ...state }: ConnectionState): Told {
  return { ...state, problem: problem && { status: problem.status, code: problem.code, message: problem.message, retryMs: problem.retryMs } };
}

function heard({ problem, ...state }: Told): ConnectionState {
  return { ...state, problem: problem && new Problem(problem.status, problem.code, problem.message, problem.retryMs) };
}
