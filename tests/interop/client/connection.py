"""How frames travel: gRPC over TLS, the certificate known by its fingerprint alone."""

import queue
import ssl

import grpc
from zhibu.sync.v1 import answer_pb2, sync_pb2

from . import crypto

PATIENCE = 30  # seconds for what must come
FRAME_BYTES_MAX = 8 << 20


class OtherServer(Exception):
    """It has another certificate than the one that was pinned."""


class Refusal(Exception):
    """The server's last word; `code` where it came as a gRPC status."""

    def __init__(self, refusal, code=None):
        self.reason = answer_pb2.Reason.Name(refusal.reason)
        super().__init__(self.reason, refusal.detail)
        self.detail, self.code = refusal.detail, code


class Ended(Exception):
    """The stream is over, without a word."""


def channel_to(address: str, fingerprint: str) -> grpc.Channel:
    host, _, port = address.rpartition(":")
    pem = ssl.get_server_certificate((host.strip("[]"), int(port)))
    if crypto.fingerprint_of(ssl.PEM_cert_to_DER_cert(pem)) != fingerprint:
        raise OtherServer
    # The certificate that was looked at is the one trusted from here on.
    return grpc.secure_channel(
        address,
        grpc.ssl_channel_credentials(root_certificates=pem.encode()),
        options=[("grpc.ssl_target_name_override", "zhibu"), ("grpc.use_local_subchannel_pool", 1),
                 ("grpc.max_receive_message_length", FRAME_BYTES_MAX)])


def call(channel, method: str, request, reply_class):
    """Enrol, or Deliver. A refusal is in the details of the gRPC status."""
    stub = channel.unary_unary(f"/zhibu.sync.v1.Sync/{method}",
                               request_serializer=type(request).SerializeToString,
                               response_deserializer=reply_class.FromString)
    try:
        return stub(request, timeout=PATIENCE)
    except grpc.RpcError as error:
        for key, value in error.trailing_metadata() or ():
            if key == "grpc-status-details-bin":
                raise Refusal(sync_pb2.Refusal.FromString(value), error.code()) from error
        raise


class Stream:
    """Connect: frames both ways, in order."""

    def __init__(self, channel):
        self._out = queue.SimpleQueue()
        stub = channel.stream_stream("/zhibu.sync.v1.Sync/Connect",
                                     request_serializer=sync_pb2.ClientFrame.SerializeToString,
                                     response_deserializer=sync_pb2.ServerFrame.FromString)
        self._in = stub(iter(self._out.get, None), timeout=PATIENCE)

    def say(self, **frame):
        self._out.put(sync_pb2.ClientFrame(**frame))

    def hear(self, *kinds: str):
        """The next frame, which must be of one of these kinds: (kind, message)."""
        try:
            frame = next(self._in)
        except (StopIteration, grpc.RpcError) as error:
            raise Ended(error) from error
        kind = frame.WhichOneof("frame")
        if kind == "refusal" and kind not in kinds:
            raise Refusal(frame.refusal)
        assert kind in kinds, f"{kind} where {kinds} was to come"
        return kind, getattr(frame, kind)

    def close(self):
        self._out.put(None)
        self._in.cancel()
