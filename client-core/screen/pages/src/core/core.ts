// How pages reach the core of the device: as every app in JavaScript does. Two ways move the bytes: HTTP
// on loopback (http.ts) and the bridge of an app's WebView (bridge.ts). A call throws Refused, Locked or Gone.
import type {Core as AnyCore} from '../../../../js/src/core';
import type {Error as CoreRefusal, Events} from '../messages/zhibu/api/v1/api_pb';

export type Core = AnyCore<Events>;

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
