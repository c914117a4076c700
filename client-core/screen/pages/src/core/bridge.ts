// The core in the app that shows these pages in a WebView, with no port: what Android's
// WebMessageListener puts there under the name `zhibu`, or an object of the same form.
//
//   page → app   {"id": 7, "name": "zhibu_get", "body": "base64"}
//   app → page   {"id": 7, "code": 0, "body": "base64"}   code of gRPC; then body is an Error
//                {"events": "base64"}
import {fromBinary} from '@bufbuild/protobuf';
import {base64Decode, base64Encode} from '@bufbuild/protobuf/wire';
import {ErrorSchema, EventsSchema, type Events} from '../messages/zhibu/api/v1/api_pb';
import {Refused, type Core} from './core';

export interface Bridge {
  postMessage(message: string): void;
  onmessage: ((event: {data: string}) => void) | null;
}

declare global {
  interface Window { zhibu?: Bridge }
}

interface Waiting {
  give(bytes: Uint8Array): void;
  refuse(why: Refused): void;
}

export class BridgeCore implements Core {
  private readonly waiting = new Map<number, Waiting>();
  private readonly listeners: ((events: Events) => void)[] = [];
  private last = 0;

  constructor(private readonly bridge: Bridge) {
    bridge.onmessage = (event) => this.receive(JSON.parse(event.data));
  }

  call(name: string, body: Uint8Array): Promise<Uint8Array> {
    const id = ++this.last;
    return new Promise((give, refuse) => {
      this.waiting.set(id, {give, refuse});
      this.bridge.postMessage(JSON.stringify({id, name, body: base64Encode(body)}));
    });
  }

  follow(listener: (events: Events) => void): void {
    this.listeners.push(listener);
  }

  private receive(message: {id?: number; code?: number; body?: string; events?: string}): void {
    if (message.events !== undefined) {
      const events = fromBinary(EventsSchema, base64Decode(message.events));
      for (const listener of this.listeners) listener(events);
      return;
    }
    const waiting = this.waiting.get(message.id ?? 0);
    if (waiting === undefined) return;
    this.waiting.delete(message.id ?? 0);
    const bytes = base64Decode(message.body ?? '');
    if (message.code === 0) waiting.give(bytes);
    else waiting.refuse(new Refused(fromBinary(ErrorSchema, bytes)));
  }
}
