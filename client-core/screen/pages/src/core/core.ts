// How pages reach the core of the device: bytes in, bytes out, by the functions of zhibu.h. Two ways
// move them: HTTP on loopback (http.ts) and the bridge of an app's WebView (bridge.ts).
import type {Error as CoreRefusal, Events} from '../messages/zhibu/api/v1/api_pb';

export interface Core {
  // The answer of that function. Throws Refused, Locked or Gone.
  call(name: string, body: Uint8Array): Promise<Uint8Array>;
  // `listener` is told whenever there is something to ask for again.
  follow(listener: (events: Events) => void): void;
}

// The core has said no, in words for people.
export class Refused extends Error {
  constructor(readonly why: CoreRefusal) {
    super(why.wordsZh);
  }
}

// Nobody was there for a while, or the address has been used.
export class Locked extends Error {}

// The device's process does not answer.
export class Gone extends Error {}
