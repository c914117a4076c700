package zhibu.client;

import java.time.Duration;
import java.util.concurrent.Executor;
import zhibu.api.v1.Advice;
import zhibu.api.v1.EnrolCall;
import zhibu.api.v1.StreamEnd;

/** A network that passes so many frames, both ways together, and then does something else. */
final class CutTransport implements Transport {
  private static final int UNAVAILABLE = 14;

  private final Transport transport = new GrpcTransport();
  private final Runnable afterLast;
  private int framesLeft;
  private boolean cuts;
  private boolean cut;

  /** After `frames` the stream is broken off. */
  static CutTransport breakingAfter(int frames) {
    CutTransport transport = new CutTransport(frames, () -> {});
    transport.cuts = true;
    return transport;
  }

  /** After `frames` something happens, once; and all others pass. */
  CutTransport(int frames, Runnable afterLast) {
    framesLeft = frames;
    this.afterLast = afterLast;
  }

  boolean wasCut() {
    return cut;
  }

  @Override
  public byte[] enrol(EnrolCall call, Duration timeout) throws Ended {
    return transport.enrol(call, timeout);
  }

  @Override
  public Stream open(Advice connect, Executor executor, Listener listener) {
    return new CutStream(connect, executor, listener);
  }

  /** All of it on the mover's thread. */
  private final class CutStream implements Stream, Listener {
    private final long number;
    private final Executor executor;
    private final Listener listener;
    private final Stream stream;

    CutStream(Advice connect, Executor executor, Listener listener) {
      number = connect.getStream();
      this.executor = executor;
      this.listener = listener;
      stream = transport.open(connect, executor, this);
    }

    private void pass(Runnable frame) {
      if (cuts && framesLeft == 0) {
        cut = true;
        stream.close();
        StreamEnd end = StreamEnd.newBuilder().setCode(UNAVAILABLE).setStream(number).build();
        executor.execute(() -> listener.ended(end));
        return;
      }
      frame.run();
      if (--framesLeft == 0) afterLast.run();
    }

    @Override
    public boolean isReady() {
      return stream.isReady();
    }

    @Override
    public void send(byte[] frame) {
      pass(() -> stream.send(frame));
    }

    @Override
    public void close() {
      stream.close();
    }

    @Override
    public void frame(byte[] frame) {
      pass(() -> listener.frame(frame));
    }

    @Override
    public void ready() {
      listener.ready();
    }

    @Override
    public void ended(StreamEnd end) {
      listener.ended(end);
    }
  }
}
