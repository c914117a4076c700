// A stream of frames to the server, by gRPC. Frames are bytes, passed on as they are: they are signed so.
// The server is who has the certificate with the fingerprint, and nothing else is asked of it: not who
// signed it, not its dates, which a phone with a wrong clock could not judge.
import {connect, type TLSSocket} from 'node:tls';
import type {Socket} from 'node:net';
import grpc from '@grpc/grpc-js';
import type {MessageInitShape} from '@bufbuild/protobuf';
import {ZhibuError} from './error.js';
import type {StreamEndSchema} from './made/zhibu/api/v1/api_pb.js';
import {certificateIs} from './native.js';

export type End = Omit<MessageInitShape<typeof StreamEndSchema>, '$typeName' | '$unknown' | 'stream'>;

// What a session needs of a stream. `ring` is called whenever one of the first three has become otherwise.
export interface Stream {
  readonly open: boolean;
  readonly end: End | undefined;
  receive(): Uint8Array | undefined;
  send(frame: Uint8Array): Promise<void>;
  close(): void;
}
export type OpenStream = (address: string, fingerprint: string, ring: () => void) => Stream;

// Every server has this name (its certificate's), whatever its address.
const name = 'zhibu';
const unavailable = grpc.status.UNAVAILABLE;
// A phone's link dies without a word.
const openedWithinMs = 10_000;
const options = {
  'grpc.default_authority': name,
  'grpc.use_local_subchannel_pool': 1,
  'grpc.enable_retries': 0,
  'grpc.service_config_disable_resolution': 1,
  'grpc.keepalive_time_ms': 40_000,
  'grpc.max_receive_message_length': -1,
};

type Connector = ReturnType<grpc.ChannelCredentials['_createSecureConnector']>;

class Fingerprint extends grpc.ChannelCredentials {
  otherServer = false;

  // `met`: the server is who it is to be.
  constructor(private readonly fingerprint: string, private readonly met: () => void = () => undefined) { super(); }

  override _isSecure(): boolean { return true; }
  override _equals(other: grpc.ChannelCredentials): boolean { return other === this; }
  override _createSecureConnector(): Connector {
    return {
      connect: async (socket) => ({socket: await this.connect(socket), secure: true}),
      waitForReady: async () => undefined,
      getCallCredentials: () => grpc.credentials.createEmpty(),
      destroy: () => undefined,
    };
  }

  private async connect(socket: Socket): Promise<TLSSocket> {
    const secure = await new Promise<TLSSocket>((done, fail) => {
      const open = connect({socket, servername: name, ALPNProtocols: ['h2'], rejectUnauthorized: false}, () => done(open));
      open.once('error', fail);
    });
    try {
      await certificateIs(secure.getPeerCertificate().raw, this.fingerprint);
    } catch (error) {
      this.otherServer = error instanceof ZhibuError;
      secure.destroy();
      throw error;
    }
    this.met();
    return secure;
  }
}

const asIs = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function endOf(status: grpc.StatusObject, server: Fingerprint): End {
  const [details] = status.metadata.get('grpc-status-details-bin');
  return {
    code: status.code, text: status.details, otherServer: server.otherServer,
    details: details instanceof Buffer ? details : new Uint8Array(),
  };
}

export const openStream: OpenStream = (address, fingerprint, ring) => {
  let open = false;
  const server = new Fingerprint(fingerprint, () => {
    open = true;
    ring();
  });
  const client = new grpc.Client(address, server, options);
  const call = client.makeBidiStreamRequest('/zhibu.sync.v1.Sync/Connect', asIs, asIs);
  const frames: Uint8Array[] = [];
  let end: End | undefined;
  const ended = new Promise<void>((done) => {
    call.on('status', (status) => {
      end ??= endOf(status, server);
      client.close();
      done();
      ring();
    });
  });
  // One at a time: a server that is faster than the store is not read from.
  call.on('data', (frame: Buffer) => {
    frames.push(frame);
    call.pause();
    ring();
  });
  call.on('error', () => undefined);  // told as a status, too
  const giveUp = setTimeout(() => call.cancel(), openedWithinMs);
  call.once('data', () => clearTimeout(giveUp));
  call.once('status', () => clearTimeout(giveUp));
  return {
    get open() { return open; },
    get end() { return end; },
    receive() {
      const frame = frames.shift();
      if (frame !== undefined) call.resume();
      return frame;
    },
    send: (frame) => Promise.race([ended, new Promise<void>((done) => { call.write(frame, () => done()); })]),
    close() {
      end ??= {code: unavailable};
      clearTimeout(giveUp);
      call.cancel();
      client.close();
    },
  };
};

// One call of zhibu.sync.v1.Sync/Enrol.
export async function askToEnrol(address: string, fingerprint: string, request: Uint8Array):
    Promise<{reply: Uint8Array} | {end: End}> {
  const server = new Fingerprint(fingerprint);
  const client = new grpc.Client(address, server, options);
  try {
    return await new Promise((done) => {
      client.makeUnaryRequest('/zhibu.sync.v1.Sync/Enrol', asIs, asIs, request, {deadline: Date.now() + openedWithinMs},
        (error, reply) => done(error ? {end: endOf(error, server)} : {reply: reply!}));
    });
  } finally {
    client.close();
  }
}
