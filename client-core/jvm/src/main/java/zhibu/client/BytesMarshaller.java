package zhibu.client;

import com.google.protobuf.ByteString;
import io.grpc.MethodDescriptor;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;

/** Frames as they stand: they are signed, byte for byte. */
enum BytesMarshaller implements MethodDescriptor.Marshaller<byte[]> {
  INSTANCE;

  @Override
  public InputStream stream(byte[] frame) {
    return new ByteArrayInputStream(frame);
  }

  @Override
  public byte[] parse(InputStream stream) {
    try {
      return ByteString.readFrom(stream).toByteArray();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
