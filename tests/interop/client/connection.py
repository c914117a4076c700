"""How frames travel: over TLS, the certificate known by its fingerprint alone; by gRPC, or over the
web."""

import ssl

from zhibu.sync.v1 import sync_pb2

from . import compression, crypto, over_grpc, over_web
from .ends import Ended, OtherServer, Refusal

__all__ = ["Ended", "OtherServer", "Refusal", "Stream", "call", "channel_to"]

WAY = over_grpc  # or over_web


def channel_to(address: str, fingerprint: str):
    host, _, port = address.rpartition(":")
    pem = ssl.get_server_certificate((host.strip("[]"), int(port)))
    if crypto.fingerprint_of(ssl.PEM_cert_to_DER_cert(pem)) != fingerprint:
        raise OtherServer
    # The certificate that was looked at is the one trusted from here on.
    return WAY.Channel(address, pem)


def call(channel, method: str, request, reply_class):
    """Enrol, or Deliver. A refusal travels beside the status that it ends with."""
    return channel.call(f"/zhibu.sync.v1.Sync/{method}", request, reply_class)


class Stream:
    """Connect: frames both ways, in order."""

    def __init__(self, channel):
        self._stream = channel.stream("/zhibu.sync.v1.Sync/Connect")
        self.compresses = False  # what it says; it hears compressed frames in any case
        self.bytes_heard = 0

    def say(self, **frame):
        data = sync_pb2.ClientFrame(**frame).SerializeToString()
        packed = compression.pack(data) if self.compresses else b""
        if packed and compression.is_fair(data, packed):
            data = sync_pb2.ClientFrame(compressed=packed).SerializeToString()
        self._stream.send(data)

    def hear(self, *kinds: str):
        """The next frame, which must be of one of these kinds: (kind, message)."""
        data = self._stream.receive()
        self.bytes_heard += len(data)
        frame = sync_pb2.ServerFrame.FromString(data)
        if frame.HasField("compressed"):
            frame = sync_pb2.ServerFrame.FromString(compression.unpack(frame.compressed))
        kind = frame.WhichOneof("frame")
        if kind == "refusal" and kind not in kinds:
            raise Refusal(frame.refusal)
        assert kind in kinds, f"{kind} where {kinds} was to come"
        return kind, getattr(frame, kind)

    def close(self):
        self._stream.close()
