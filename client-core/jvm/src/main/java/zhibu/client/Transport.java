package zhibu.client;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.Executor;
import zhibu.api.v1.Advice;
import zhibu.api.v1.EnrolCall;
import zhibu.api.v1.StreamEnd;

/**
 * Moves bytes to the server and back, and looks at none of them. {@link GrpcTransport} is one; an app
 * may have another. The server is known by {@link Zhibu#certificateIs} and by nothing else.
 */
public interface Transport {
  /**
   * A stream of zhibu.sync.v1.Sync/Connect to the address of a CONNECT; returns at once. The
   * listener is called on `executor`, which runs one thing after the other.
   */
  Stream open(Advice connect, Executor executor, Listener listener);

  /** One call of zhibu.sync.v1.Sync/Enrol; waits for the network. */
  byte[] enrol(EnrolCall call, Duration timeout) throws Ended;

  interface Stream {
    /** False: there is no room now; the listener is told when there is. */
    boolean isReady();

    void send(byte[] frame);

    /** The listener may still be called, and passes it over. */
    void close();
  }

  interface Listener {
    void frame(byte[] frame);

    void ready();

    void ended(StreamEnd end);
  }

  /** A call did not succeed. */
  final class Ended extends IOException {
    private final transient StreamEnd end;

    public Ended(StreamEnd end) {
      super(end.getText());
      this.end = end;
    }

    public StreamEnd end() {
      return end;
    }
  }
}
