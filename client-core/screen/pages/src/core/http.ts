// The core in the process that serves these pages on loopback (client-core/screen/screen.h).
import {create, fromBinary} from '@bufbuild/protobuf';
import {base64Decode} from '@bufbuild/protobuf/wire';
import {ErrorSchema, EventsSchema, type Events} from '../messages/zhibu/api/v1/api_pb';
import {Gone, Locked, Refused, type Core} from './core';
import {somebodyIsThere} from './presence';

// The token that the address came with: out of there before anything else looks at it.
const token = /^#([0-9a-f]{64})$/.exec(location.hash)?.[1];
if (token) history.replaceState(null, '', location.pathname);

export class HttpCore implements Core {
  static async open(): Promise<HttpCore> {
    // One that has been spent is no trouble to whoever holds the cookie.
    if (token) await fetch('/token', {method: 'POST', body: token}).catch(() => undefined);
    return new HttpCore();
  }

  async call(name: string, body: Uint8Array): Promise<Uint8Array> {
    const headers: Record<string, string> = {'Content-Type': 'application/octet-stream'};
    if (!somebodyIsThere()) headers['Zhibu-By-Itself'] = '1';
    let answer: Response;
    let bytes: Uint8Array;
    try {
      answer = await fetch(`/core/${name}`, {method: 'POST', headers, body: body as BodyInit});
      bytes = new Uint8Array(await answer.arrayBuffer());
    } catch {
      throw new Gone();
    }
    if (answer.ok) return bytes;
    if (answer.status === 401) throw new Locked();
    throw new Refused(fromBinary(ErrorSchema, bytes));
  }

  follow(listener: (events: Events) => void): void {
    const source = new EventSource('/events');
    source.onmessage = (event) => listener(fromBinary(EventsSchema, base64Decode(event.data)));
    // Whoever asks again is told why it has ended.
    source.onerror = () => listener(create(EventsSchema, {state: true}));
  }
}
