// What is asked for again after each event, until it is ended: by `break`, by `return`, because the store
// was closed, or by an error. Nothing comes after that.
import {Bell} from './bell.js';
import {told, ZhibuError} from './error.js';
import {Reason} from './made/zhibu/sync/v1/answer_pb.js';
import {native} from './native.js';

export interface Source<T> {
  next(): Promise<T | undefined>;  // undefined: there is nothing else yet
  close(): Promise<void>;
}

export class Followed<T> implements AsyncIterableIterator<T> {
  private readonly bell = new Bell();
  private source: Promise<Source<T>> | undefined;
  private last: Promise<unknown> = Promise.resolve();
  private over = false;

  // `open` is given what rings after an event; `ended` is told once.
  constructor(private readonly open: (ring: () => void) => Promise<Source<T>>, private readonly ended: () => void) {}

  [Symbol.asyncIterator](): this { return this; }

  // There may be something to ask for.
  ring(): void { this.bell.ring(); }

  // One after another, as they are asked for.
  next(): Promise<IteratorResult<T>> {
    const answer = this.last.then(() => this.following());
    this.last = answer.catch(() => undefined);
    return answer;
  }

  async return(): Promise<IteratorResult<T>> {
    await this.close();
    return {done: true, value: undefined};
  }

  async close(): Promise<void> {
    this.over = true;
    this.bell.ring();
    await this.last;
    await this.end();
  }

  private async following(): Promise<IteratorResult<T>> {
    try {
      while (!this.over) {
        this.source ??= this.open(this.bell.ring);
        const value = await (await this.source).next();
        if (this.over) break;
        if (value !== undefined) return {done: false, value};
        await this.bell.wait();
      }
    } catch (error) {
      this.over = true;
      await this.end();
      throw error;
    }
    return {done: true, value: undefined};
  }

  private async end(): Promise<void> {
    const source = this.source;
    this.source = undefined;
    this.ended();
    await source?.then((open) => open.close(), () => undefined);
  }
}

// Of a store that sleeps there is nothing to be had yet.
async function unlessAsleep(bytes: Promise<Uint8Array>): Promise<Uint8Array | undefined> {
  try {
    const some = await told(bytes);
    return some.length > 0 ? some : undefined;
  } catch (error) {
    if (error instanceof ZhibuError && error.reason === Reason.SUSPENDED) return undefined;
    throw error;
  }
}

// `ring` is called on the main thread, after each event.
export async function openEvents(store: bigint, ring: () => void): Promise<Source<Uint8Array>> {
  const events = await told(native.zhibu_events_open(store, ring));
  return {
    next: () => unlessAsleep(native.zhibu_events_next(events)),
    close: () => told(native.zhibu_events_close(events)),
  };
}

export async function openWatch(store: bigint, query: Uint8Array, ring: () => void): Promise<Source<Uint8Array>> {
  const watch = await told(native.zhibu_watch_open(store, query));
  const close = () => told(native.zhibu_watch_close(watch));
  const events = await openEvents(store, ring).catch(async (error) => {
    await close();
    throw error;
  });
  return {
    next: () => unlessAsleep(native.zhibu_watch_next(watch)),
    async close() {
      await events.close();
      await close();
    },
  };
}
