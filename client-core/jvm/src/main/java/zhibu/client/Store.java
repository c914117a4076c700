package zhibu.client;

import java.nio.file.Path;
import java.util.Objects;
import zhibu.api.v1.EnrolOptions;
import zhibu.api.v1.OpenOptions;
import zhibu.api.v1.Query;
import zhibu.api.v1.SessionOptions;

/**
 * The records of this device, in one sealed file.
 *
 * <pre>{@code
 * try (Store store = Store.open(file, key)) {
 *   ByteString seen = store.newRecord("Meeting");
 *   store.save(seen, Meeting.newBuilder().setTopic("七月党员大会").build());
 *   Rows rows = store.list(Query.newBuilder().setType("Meeting").build());
 * }
 * }</pre>
 *
 * What it opens is closed with it.
 */
public final class Store extends StoreCalls {
  private Store(long handle) {
    super(handle);
  }

  /** `key`: 32 bytes, which the platform keeps. */
  public static Store open(Path file, byte[] key) {
    return open(OpenOptions.newBuilder().setFile(file.toString()).build(), key);
  }

  public static Store open(OpenOptions options, byte[] key) {
    return new Store(Native.open(options.toByteArray(), key));
  }

  /** `key` opens it from now on. An app keeps both until this has returned. */
  public void rekey(byte[] key) {
    Native.rekey(handle(), key);
  }

  /** A list that somebody looks at. */
  public Watch watch(Query query) {
    return new Watch(Native.watchOpen(handle(), query.toByteArray()));
  }

  /** `listener` is called once there is something to ask {@link Events#next} for. */
  public Events events(Events.Listener listener) {
    return new Events(Native.eventsOpen(handle(), Objects.requireNonNull(listener)));
  }

  /** Frames in and out, for whoever moves them; {@link Mover} is one who does. */
  public Session session(SessionOptions options) {
    return new Session(Native.sessionOpen(handle(), options.toByteArray()));
  }

  /** One call of the server's; {@link Mover#enrol} makes it. */
  public Enrolment enrolment(EnrolOptions options) {
    byte[][] call = new byte[1][];
    return new Enrolment(Native.enrolOpen(handle(), options.toByteArray(), call), call[0]);
  }

  /** Returns once no listener of the store's runs, or will. */
  @Override
  void closeHandle() {
    Native.close(handle());
  }
}
