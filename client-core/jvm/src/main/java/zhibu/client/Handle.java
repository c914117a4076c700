package zhibu.client;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Something of the core's that is open until it is closed. Any thread may call any method; what is
 * closed, or was closed with its store, throws a {@link ZhibuException}.
 */
public abstract class Handle implements AutoCloseable {
  private final long handle;
  private final AtomicBoolean closed = new AtomicBoolean();

  Handle(long handle) {
    this.handle = handle;
  }

  final long handle() {
    return handle;
  }

  /** By the function that closes this kind. */
  abstract void closeHandle();

  /** A second time it does nothing, nor after its store was closed. */
  @Override
  public final void close() {
    if (!closed.compareAndSet(false, true)) return;
    try {
      closeHandle();
    } catch (ZhibuException e) {
      if (!e.isClosed()) throw e;
    }
  }

  static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  static String text(byte[] utf8) {
    return new String(utf8, StandardCharsets.UTF_8);
  }

  static ByteString bytes(byte[] given) {
    return ByteString.copyFrom(given);
  }

  static <T extends MessageLite> T message(Parser<T> parser, byte[] given) {
    try {
      return parser.parseFrom(given);
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException("the core gave what is no message of its own", e);
    }
  }
}
