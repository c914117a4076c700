package zhibu.client;

import zhibu.api.v1.Error;
import zhibu.sync.v1.Reason;

/** Why a call did not succeed: the reason is for the program, the words are for people. */
public final class ZhibuException extends RuntimeException {
  private static final int INVALID_ARGUMENT = 3;

  // Not serialized with the exception: messages of the lite runtime are not for that.
  private final transient Error error;

  private ZhibuException(Error error) {
    super(error.getReason() + " (" + error.getCode() + "): " + error.getWordsEn() + " " + error.getDetail());
    this.error = error;
  }

  /** Called by the native methods, with a zhibu.api.v1.Error. */
  static ZhibuException of(int code, byte[] error) {
    Error read = Handle.message(Error.parser(), error);
    return new ZhibuException(read.toBuilder().setCode(code).build());
  }

  /** As Advice.why and the like have it. */
  public static ZhibuException of(Error error) {
    return new ZhibuException(error);
  }

  /** One of gRPC's canonical codes, never 0. */
  public int code() {
    return error.getCode();
  }

  /** NO_REASON: the code says it. */
  public Reason reason() {
    return error.getReason();
  }

  /** What happened, what is safe, what to do. */
  public String wordsZh() {
    return error.getWordsZh();
  }

  public String wordsEn() {
    return error.getWordsEn();
  }

  /** For programs and logs: a field, a limit, a file. */
  public String detail() {
    return error.getDetail();
  }

  public Error error() {
    return error;
  }

  /** Of a handle that is closed, or never was. */
  boolean isClosed() {
    return code() == INVALID_ARGUMENT && reason() == Reason.NO_REASON;
  }
}
