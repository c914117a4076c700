"""How frames travel over gRPC (docs/wire.md, "Transport")."""

import queue

import grpc
from zhibu.sync.v1 import sync_pb2

from .ends import PATIENCE, Ended, Refusal

FRAME_BYTES_MAX = 8 << 20


class Channel:
    def __init__(self, address: str, pem: str):
        self._channel = grpc.secure_channel(
            address,
            grpc.ssl_channel_credentials(root_certificates=pem.encode()),
            options=[("grpc.ssl_target_name_override", "zhibu"),
                     ("grpc.use_local_subchannel_pool", 1),
                     ("grpc.max_receive_message_length", FRAME_BYTES_MAX)])

    def call(self, path: str, request, reply_class):
        stub = self._channel.unary_unary(path, request_serializer=type(request).SerializeToString,
                                         response_deserializer=reply_class.FromString)
        try:
            return stub(request, timeout=PATIENCE)
        except grpc.RpcError as error:
            for key, value in error.trailing_metadata() or ():
                if key == "grpc-status-details-bin":
                    raise Refusal(sync_pb2.Refusal.FromString(value), error.code()) from error
            raise

    def stream(self, path: str):
        return _Stream(self._channel, path)


class _Stream:
    def __init__(self, channel, path: str):
        self._out = queue.SimpleQueue()
        stub = channel.stream_stream(path, request_serializer=bytes, response_deserializer=bytes)
        self._in = stub(iter(self._out.get, None), timeout=PATIENCE)

    def send(self, frame: bytes):
        self._out.put(frame)

    def receive(self) -> bytes:
        try:
            return next(self._in)
        except (StopIteration, grpc.RpcError) as error:
            raise Ended(error) from error

    def close(self):
        self._out.put(None)
        self._in.cancel()
