// The records of a device: one file, sealed with a key that the platform keeps.
//
//   const store = await Store.open('branch.db', key);
//   const seen = await store.new('Meeting');
//   await store.commit({items: [{seen, to: {case: 'json', value: '{"topic": "七月党员大会", …}'}}]});
//   for await (const difference of store.watch({type: 'Meeting', json: true})) { … }
//   await store.close();
//
// Calls may overlap: each runs on a thread of Node's pool. A store that is forgotten without being closed
// is closed when it is collected.
import {create, fromBinary, toBinary, type DescMessage, type MessageInitShape, type MessageShape} from '@bufbuild/protobuf';
import {told, ZhibuError} from './error.js';
import {Followed, openEvents, openWatch, type Source} from './followed.js';
import {asked, Calls, type Native} from './made/calls.js';
import * as api from './made/zhibu/api/v1/api_pb.js';
import {native} from './native.js';

const forgotten = new FinalizationRegistry((handle: bigint) => { void native.zhibu_close(handle); });

// What is open on a store: it is closed before the store is, and has something to ask once that wakes.
interface Open {
  close(): Promise<unknown>;
  ring(): void;
}

type Asked = (...given: (bigint | Uint8Array)[]) => Promise<Uint8Array>;

export class Store extends Calls {
  readonly opened = new Set<Open>();

  private constructor(readonly handle: bigint) {
    super();
    forgotten.register(this, handle, this);
  }

  // `key`: 32 bytes.
  static async open(file: string, key: Uint8Array): Promise<Store> {
    const options = toBinary(api.OpenOptionsSchema, create(api.OpenOptionsSchema, {file}));
    return new Store(await told(native.zhibu_open(options, key)));
  }

  // What is followed ends, and sessions do. Once this is done nothing of the store is told any more.
  async close(): Promise<void> {
    await Promise.all([...this.opened].map((one) => one.close()));
    forgotten.unregister(this);
    await told(native.zhibu_close(this.handle));
  }

  // While the app sleeps: nothing of the file is locked, and what is asked meanwhile is SUSPENDED.
  suspend(): Promise<void> { return told(native.zhibu_suspend(this.handle)); }
  async resume(): Promise<void> {
    await told(native.zhibu_resume(this.handle));
    for (const one of this.opened) one.ring();
  }
  rekey(key: Uint8Array): Promise<void> { return told(native.zhibu_rekey(this.handle, key)); }

  // One record by itself: `seen` as it was read, `body` what it is to say.
  async save(seen: Uint8Array, body: Uint8Array): Promise<api.Committed> {
    return fromBinary(api.CommittedSchema, await told(native.zhibu_save(this.handle, seen, body)));
  }

  override async call(name: string, body: Uint8Array): Promise<Uint8Array> {
    const takesStore = asked.get(name);
    if (takesStore === undefined) throw new TypeError(`nothing that a store can be asked: ${name}`);
    const ask = native[name as keyof Native] as Asked;
    return told(takesStore ? ask(this.handle, body) : ask(body));
  }

  override follow(listener: (events: api.Events) => void): void {
    void this.tell(listener).catch((error) => {
      if (!(error instanceof ZhibuError)) throw error;  // a store that is closed has nothing to tell
    });
  }
  private async tell(listener: (events: api.Events) => void): Promise<void> {
    for await (const events of this.events()) listener(events);
  }

  // What has happened, from now on.
  events(): AsyncIterableIterator<api.Events> {
    return this.following(api.EventsSchema, (ring) => openEvents(this.handle, ring));
  }

  // First the whole list, as inserted; then what has become otherwise.
  watch(query: MessageInitShape<typeof api.QuerySchema>): AsyncIterableIterator<api.Difference> {
    const wanted = toBinary(api.QuerySchema, create(api.QuerySchema, query));
    return this.following(api.DifferenceSchema, (ring) => openWatch(this.handle, wanted, ring));
  }

  private following<D extends DescMessage>(
      schema: D, open: (ring: () => void) => Promise<Source<Uint8Array>>): AsyncIterableIterator<MessageShape<D>> {
    const read = async (ring: () => void): Promise<Source<MessageShape<D>>> => {
      const source = await open(ring);
      const next = async () => {
        const bytes = await source.next();
        return bytes && fromBinary(schema, bytes);
      };
      return {next, close: source.close};
    };
    const followed: Followed<MessageShape<D>> = new Followed(read, () => this.opened.delete(followed));
    this.opened.add(followed);
    return followed;
  }
}
