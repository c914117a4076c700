package zhibu.client;

import com.google.protobuf.ByteString;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import zhibu.api.v1.Advice;
import zhibu.api.v1.EnrolCall;
import zhibu.api.v1.StreamEnd;

/** Over gRPC, by OkHttp: that of Android, which runs anywhere else as well. */
public final class GrpcTransport implements Transport {
  private static final MethodDescriptor<byte[], byte[]> CONNECT =
      method("Connect", MethodDescriptor.MethodType.BIDI_STREAMING);
  private static final MethodDescriptor<byte[], byte[]> ENROL = method("Enrol", MethodDescriptor.MethodType.UNARY);
  private static final Metadata.Key<byte[]> DETAILS =
      Metadata.Key.of("grpc-status-details-bin", Metadata.BINARY_BYTE_MARSHALLER);

  private static MethodDescriptor<byte[], byte[]> method(String name, MethodDescriptor.MethodType type) {
    return MethodDescriptor.<byte[], byte[]>newBuilder()
        .setType(type)
        .setFullMethodName("zhibu.sync.v1.Sync/" + name)
        .setRequestMarshaller(BytesMarshaller.INSTANCE)
        .setResponseMarshaller(BytesMarshaller.INSTANCE)
        .build();
  }

  @Override
  public Stream open(Advice connect, Executor executor, Listener listener) {
    PinnedServer server = new PinnedServer(connect.getFingerprint());
    ManagedChannel channel = server.channel(connect.getAddress(), executor);
    ClientCall<byte[], byte[]> call = channel.newCall(CONNECT, CallOptions.DEFAULT);
    call.start(new Heard(call, server, connect.getStream(), listener), new Metadata());
    call.request(1);
    return new Stream() {
      @Override
      public boolean isReady() {
        return call.isReady();
      }

      @Override
      public void send(byte[] frame) {
        call.sendMessage(frame);
      }

      @Override
      public void close() {
        channel.shutdownNow();
      }
    };
  }

  @Override
  public byte[] enrol(EnrolCall call, Duration timeout) throws Ended {
    PinnedServer server = new PinnedServer(call.getFingerprint());
    ManagedChannel channel = server.channel(call.getAddress(), Runnable::run);
    CallOptions options = CallOptions.DEFAULT.withDeadlineAfter(timeout.toMillis(), TimeUnit.MILLISECONDS);
    try {
      return ClientCalls.blockingUnaryCall(channel, ENROL, options, call.getRequest().toByteArray());
    } catch (StatusRuntimeException e) {
      throw new Ended(end(server, e.getStatus(), e.getTrailers(), 0));
    } finally {
      channel.shutdownNow();
    }
  }

  private static StreamEnd end(PinnedServer server, Status status, Metadata trailers, long stream) {
    StreamEnd.Builder end = StreamEnd.newBuilder().setCode(status.getCode().value()).setStream(stream);
    if (status.getDescription() != null) end.setText(status.getDescription());
    byte[] details = trailers == null ? null : trailers.get(DETAILS);
    if (details != null) end.setDetails(ByteString.copyFrom(details));
    return end.setOtherServer(server.metOther()).build();
  }

  /** Asks for the next frame once one has been taken: a server that is faster is not read from. */
  private static final class Heard extends ClientCall.Listener<byte[]> {
    private final ClientCall<byte[], byte[]> call;
    private final PinnedServer server;
    private final long stream;
    private final Listener listener;

    Heard(ClientCall<byte[], byte[]> call, PinnedServer server, long stream, Listener listener) {
      this.call = call;
      this.server = server;
      this.stream = stream;
      this.listener = listener;
    }

    @Override
    public void onMessage(byte[] frame) {
      listener.frame(frame);
      call.request(1);
    }

    @Override
    public void onReady() {
      listener.ready();
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      listener.ended(end(server, status, trailers, stream));
    }
  }
}
