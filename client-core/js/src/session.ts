// In step with the server: does what the core advises, until that is DONE or STOP, or it is closed.
//
//   const advice = await Session.once(store, {app: '支部 1.0'});   // all was sent and received, or why not
//
//   const session = await Session.open(store, {app: '支部 1.0'});  // for as long as the app is awake
//   void session.run();
//   session.hurry();                                              // there is a network again
//   await session.close();
import {create, fromBinary, toBinary, type MessageInitShape} from '@bufbuild/protobuf';
import {Bell} from './bell.js';
import {told} from './error.js';
import {openEvents, type Source} from './followed.js';
import * as api from './made/zhibu/api/v1/api_pb.js';
import {native} from './native.js';
import type {Store} from './store.js';
import {openStream, type OpenStream, type Stream} from './stream.js';

type Options = MessageInitShape<typeof api.SessionOptionsSchema>;

export class Session {
  // What the core advised last.
  advice: api.Advice = create(api.AdviceSchema);
  private readonly bell = new Bell();
  private events: Source<Uint8Array> | undefined;  // what is committed goes out at once
  private stream: Stream | undefined;
  private named = 0n;  // of the stream, as the core called it
  private running: Promise<api.Advice> | undefined;
  private closed: Promise<void> | undefined;

  private constructor(
      private readonly store: Store, private readonly handle: bigint, private readonly openStream: OpenStream) {
    store.opened.add(this);
  }

  static async open(store: Store, options: Options, by: OpenStream = openStream): Promise<Session> {
    const wanted = toBinary(api.SessionOptionsSchema, create(api.SessionOptionsSchema, options));
    const session = new Session(store, await told(native.zhibu_session_open(store.handle, wanted)), by);
    session.events = await openEvents(store.handle, session.bell.ring);
    return session;
  }

  static async once(store: Store, options: Options, by: OpenStream = openStream): Promise<api.Advice> {
    const session = await Session.open(store, {...options, once: true}, by);
    try {
      return await session.run();
    } finally {
      await session.close();
    }
  }

  run(): Promise<api.Advice> { return this.running ??= this.follow(); }

  async hurry(): Promise<void> {
    await told(native.zhibu_session_hurry(this.handle));
    this.ring();
  }

  // There may be something else to do.
  ring(): void { this.bell.ring(); }

  close(): Promise<void> { return this.closed ??= this.end(); }

  private async end(): Promise<void> {
    this.ring();
    await this.running?.catch(() => undefined);  // whoever runs it is told
    this.store.opened.delete(this);
    await this.events?.close();
    await told(native.zhibu_session_close(this.handle));
  }

  private async follow(): Promise<api.Advice> {
    try {
      while (this.closed === undefined) {
        this.advice = fromBinary(api.AdviceSchema, await told(native.zhibu_session_advice(this.handle)));
        if (this.advice.what !== api.Advice_What.SEND && this.advice.what !== api.Advice_What.IDLE) this.drop();
        if (this.advice.what === api.Advice_What.DONE || this.advice.what === api.Advice_What.STOP) break;
        await this.heed(this.advice);
      }
      return this.advice;
    } finally {
      this.drop();
    }
  }

  private heed(advice: api.Advice): Promise<void> {
    switch (advice.what) {
      case api.Advice_What.CONNECT: return this.connect(advice);
      case api.Advice_What.SEND: return this.send();
      case api.Advice_What.IDLE: return this.idle(Number(advice.ms));
      default: return this.bell.wait(Number(advice.ms));
    }
  }

  private async connect({address, fingerprint, stream}: api.Advice): Promise<void> {
    this.named = stream;
    this.stream = this.openStream(address, fingerprint, this.bell.ring);
    while (!this.stream.open && this.stream.end === undefined && this.closed === undefined) await this.bell.wait();
    if (this.stream.end !== undefined) await this.ended();
    else if (this.stream.open) await told(native.zhibu_session_connected(this.handle));
  }

  private async send(): Promise<void> {
    const frame = await told(native.zhibu_session_next(this.handle));
    if (frame.length > 0) await this.stream?.send(frame);
  }

  private async idle(ms: number): Promise<void> {
    const frame = this.stream?.receive();
    if (frame !== undefined) await told(native.zhibu_session_receive(this.handle, frame));
    else if (this.stream?.end !== undefined) await this.ended();
    else await this.bell.wait(ms);
  }

  private async ended(): Promise<void> {
    const end = create(api.StreamEndSchema, {...this.stream?.end, stream: this.named});
    this.drop();
    await told(native.zhibu_session_ended(this.handle, toBinary(api.StreamEndSchema, end)));
  }

  private drop(): void {
    this.stream?.close();
    this.stream = undefined;
  }
}
