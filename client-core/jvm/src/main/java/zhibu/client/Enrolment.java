package zhibu.client;

import zhibu.api.v1.EnrolCall;
import zhibu.api.v1.StreamEnd;

/** A device becomes known to its server, by one call of zhibu.sync.v1.Sync/Enrol. */
public final class Enrolment extends Handle {
  private final EnrolCall call;

  Enrolment(long handle, byte[] call) {
    super(handle);
    this.call = message(EnrolCall.parser(), call);
  }

  /** The call to be made, at that server and no other. */
  public EnrolCall call() {
    return call;
  }

  /** The bytes that the server answered with. */
  public void reply(byte[] reply) {
    Native.enrolReply(handle(), reply);
  }

  /** Where the call did not succeed: what to say to the user. It may be made again as it is. */
  public ZhibuException refused(StreamEnd end) {
    try {
      Native.enrolRefused(handle(), end.toByteArray());
    } catch (ZhibuException refusal) {
      return refusal;
    }
    throw new IllegalStateException("a call that did not succeed was not refused");
  }

  @Override
  void closeHandle() {
    Native.enrolClose(handle());
  }
}
