package zhibu.client;

import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import zhibu.api.v1.Advice;
import zhibu.api.v1.EnrolOptions;
import zhibu.api.v1.SessionOptions;
import zhibu.api.v1.StreamEnd;

/**
 * Keeps a store in step with its server: does what the core advises, on a thread of its own, until
 * the advice is DONE or STOP, or it is closed, or its store is.
 *
 * <pre>{@code
 * Advice end = Mover.start(store, SessionOptions.newBuilder().setOnce(true).build(), new GrpcTransport()).end().get();
 * }</pre>
 */
public final class Mover implements AutoCloseable {
  private static final int DEADLINE_EXCEEDED = 4; // of gRPC
  /** A stream that says nothing for so long after it was opened is a dead link. */
  private static final long SILENCE_MS = 10_000;

  private final Transport transport;
  private final long silenceMs;
  private final Session session;
  private final Events events;
  private final Consumer<Advice> onAdvice;
  private final CompletableFuture<Advice> end = new CompletableFuture<>();
  private final Thread thread = new Thread(this::run, "zhibu-mover");

  // What others ask of the thread: whatever it is about, the core is asked for advice after it.
  private final BlockingQueue<Runnable> inbox = new LinkedBlockingQueue<>();

  // Of the thread alone.
  private boolean closing;
  private Open open;

  private Mover(
      Store store, SessionOptions options, Transport transport, long silenceMs, Consumer<Advice> onAdvice) {
    this.transport = transport;
    this.silenceMs = silenceMs;
    this.onAdvice = onAdvice;
    session = store.session(options);
    try {
      events = store.events(new Events.Listener() {
        @Override
        public void happened() {
          inbox.add(() -> {});
        }

        @Override
        public void over() {
          inbox.add(Mover.this::stop);
        }
      });
    } catch (ZhibuException e) {
      session.close();
      throw e;
    }
    thread.setDaemon(true);
  }

  public static Mover start(Store store, SessionOptions options, Transport transport) {
    return start(store, options, transport, advice -> {});
  }

  /** `onAdvice` is told all that the core advises, on the mover's thread: what an app may show. */
  public static Mover start(Store store, SessionOptions options, Transport transport, Consumer<Advice> onAdvice) {
    return start(store, options, transport, SILENCE_MS, onAdvice);
  }

  static Mover start(
      Store store, SessionOptions options, Transport transport, long silenceMs, Consumer<Advice> onAdvice) {
    Mover mover = new Mover(store, options, transport, silenceMs, onAdvice);
    mover.thread.start();
    return mover;
  }

  /** Makes the device known to its server; waits for the network. */
  public static void enrol(Store store, EnrolOptions options, Transport transport, Duration timeout) {
    try (Enrolment enrolment = store.enrolment(options)) {
      try {
        enrolment.reply(transport.enrol(enrolment.call(), timeout));
      } catch (Transport.Ended e) {
        throw enrolment.refused(e.end());
      }
    }
  }

  /** DONE or STOP; cancelled where it, or its store, was closed before. */
  public CompletableFuture<Advice> end() {
    return end;
  }

  /** There may be a network again, or the user asks for it. */
  public void hurry() {
    inbox.add(session::hurry);
  }

  /** Broken off anywhere it is safe. */
  @Override
  public void close() {
    inbox.add(this::stop);
    if (Thread.currentThread() == thread) return;
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) Thread.currentThread().interrupt();
  }

  private void stop() {
    closing = true;
  }

  private void run() {
    try {
      while (!closing && !end.isDone()) follow(session.advice());
      end.cancel(false);
    } catch (ZhibuException e) {
      if (!e.isClosed()) end.completeExceptionally(e);
      end.cancel(false);
    } catch (Throwable e) {
      end.completeExceptionally(e);
    } finally {
      drop();
      events.close();
      session.close();
    }
  }

  private void follow(Advice advice) throws InterruptedException {
    onAdvice.accept(advice);
    switch (advice.getWhat()) {
      case CONNECT:
        drop();
        open = new Open(advice);
        session.connected();
        break;
      case SEND:
        if (open.stream.isReady()) {
          send();
        } else {
          rest(0);
        }
        break;
      case IDLE:
        rest(advice.getMs());
        break;
      case WAIT:
        drop();
        rest(advice.getMs());
        break;
      default:
        drop();
        end.complete(advice);
    }
  }

  private void send() {
    byte[] frame = session.next();
    if (frame.length > 0) open.stream.send(frame);
  }

  /** Until there is something to do, or so long. 0: for ever. */
  private void rest(long ms) throws InterruptedException {
    long most = ms == 0 ? Long.MAX_VALUE : ms;
    boolean listening = open != null && !open.heard;
    if (listening) most = Math.min(most, Math.max(0, open.silentUntilMs - nowMs()));
    Runnable next = inbox.poll(most, TimeUnit.MILLISECONDS);
    for (; next != null; next = inbox.poll()) next.run();
    if (listening && open != null && !open.heard && nowMs() >= open.silentUntilMs) open.giveUp();
  }

  private static long nowMs() {
    return TimeUnit.NANOSECONDS.toMillis(System.nanoTime());
  }

  private void drop() {
    if (open == null) return;
    open.stream.close();
    open = null;
  }

  /** The stream there is. What another says, that was given up, is passed over. */
  private final class Open implements Transport.Listener {
    final long number;
    final long silentUntilMs = nowMs() + silenceMs;
    final Transport.Stream stream;
    boolean heard;

    Open(Advice connect) {
      number = connect.getStream();
      stream = transport.open(connect, inbox::add, this);
    }

    @Override
    public void frame(byte[] frame) {
      if (this != open) return;
      heard = true;
      session.receive(frame);
    }

    @Override
    public void ready() {}

    @Override
    public void ended(StreamEnd end) {
      if (this != open) return;
      drop();
      session.ended(end);
    }

    void giveUp() {
      ended(StreamEnd.newBuilder().setCode(DEADLINE_EXCEEDED).setStream(number).build());
    }
  }
}
