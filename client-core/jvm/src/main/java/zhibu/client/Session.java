package zhibu.client;

import zhibu.api.v1.Advice;
import zhibu.api.v1.StreamEnd;
import zhibu.sync.v1.Ask;
import zhibu.sync.v1.Page;

/** In step with the server, whoever moves the frames: {@link #advice} says what to do next. */
public final class Session extends Handle {
  Session(long handle) {
    super(handle);
  }

  /** Asked after each of the calls below, and after an event. */
  public Advice advice() {
    return message(Advice.parser(), Native.sessionAdvice(handle()));
  }

  /** The stream that was asked for is open. */
  public void connected() {
    Native.sessionConnected(handle());
  }

  /** A frame, to be sent byte for byte: it is signed as it stands. Empty: there is none. */
  public byte[] next() {
    return Native.sessionNext(handle());
  }

  public void receive(byte[] frame) {
    Native.sessionReceive(handle(), frame);
  }

  /** The stream has ended, or could not be opened. */
  public void ended(StreamEnd end) {
    Native.sessionEnded(handle(), end.toByteArray());
  }

  /** There may be a network again, or the user asks for it: WAIT is over. */
  public void hurry() {
    Native.sessionHurry(handle());
  }

  /** About records that are not held here; answered by a page. */
  public void ask(Ask ask) {
    Native.sessionAsk(handle(), ask.toByteArray());
  }

  /** In the order of the questions; empty where none has come. */
  public Page page() {
    return message(Page.parser(), Native.sessionPage(handle()));
  }

  @Override
  void closeHandle() {
    Native.sessionClose(handle());
  }
}
