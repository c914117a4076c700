package zhibu.client;

import com.google.protobuf.ByteString;
import zhibu.api.v1.CodeTable;

/** What is asked of the library itself. */
public final class Zhibu {
  private Zhibu() {}

  /** Grows by one with each function that is added. */
  public static int abiVersion() {
    return Native.abiVersion();
  }

  /** How many handles are open: 0 at the end of every test. */
  public static long live() {
    return Native.live();
  }

  /** A google.protobuf.FileDescriptorSet of every record and message, with labels and rights. */
  public static ByteString schema() {
    return Handle.bytes(Native.schema());
  }

  /** A table of codes, by its name (option code_table of a field). */
  public static CodeTable codes(String table) {
    return Handle.message(CodeTable.parser(), Native.codes(Handle.utf8(table)));
  }

  /** protobuf's JSON form. `type`: Meeting, or zhibu.api.v1.Query. */
  public static String toJson(String type, ByteString body) {
    return Handle.text(Native.toJson(Handle.utf8(type), body.toByteArray()));
  }

  public static ByteString fromJson(String type, String json) {
    return Handle.bytes(Native.fromJson(Handle.utf8(type), Handle.utf8(json)));
  }

  /** Throws OTHER_SERVER unless `certificate`, in DER or PEM, is the one with this fingerprint. */
  public static void certificateIs(byte[] certificate, String fingerprint) {
    Native.certificateIs(certificate, Handle.utf8(fingerprint));
  }
}
