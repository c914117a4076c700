// Streams to the server that are cut, or held up, after so many frames, sent and received.
import {openStream} from '../../client-core/js/dist/index.js';

const unavailable = 14;

// `cutAfter`, `pauseAfter`: frames, once. `paused` is kept when they have passed; `goOn` lets the next
// ones pass.
export function interrupted({cutAfter = Infinity, pauseAfter = Infinity}) {
  const line = {connects: 0, cut: false};
  let frames = 0;
  let ring = () => undefined;
  let arrived;
  let released;
  line.paused = new Promise((done) => { arrived = done; });
  const going = new Promise((done) => { released = done; });
  line.goOn = () => {
    pauseAfter = Infinity;
    released();
    ring();
  };

  line.open = (address, fingerprint, wake) => {
    ++line.connects;
    ring = wake;
    const stream = openStream(address, fingerprint, wake);
    let end;
    // Whether one more frame may pass.
    const cut = () => {
      if (frames < cutAfter) return false;
      line.cut = true;
      end ??= {code: unavailable};
      stream.close();
      ring();
      return true;
    };
    const passed = () => {
      if (++frames === pauseAfter) arrived();
    };
    return {
      get open() { return stream.open; },
      get end() { return end ?? stream.end; },
      close: () => stream.close(),
      receive() {
        if (frames >= pauseAfter) return undefined;
        const frame = end ? undefined : stream.receive();
        if (frame === undefined || cut()) return undefined;
        passed();
        return frame;
      },
      async send(frame) {
        if (frames >= pauseAfter) await going;
        if (cut()) return;
        await stream.send(frame);
        passed();
      },
    };
  };
  return line;
}
