"""How frames travel over a WebSocket, and calls by POST (docs/wire.md, "Over the web")."""

import http.client
import ssl

import grpc
import websocket
from zhibu.sync.v1 import sync_pb2

from .ends import PATIENCE, Ended, Refusal

CODES = {code.value[0]: code for code in grpc.StatusCode}


class Channel:
    def __init__(self, address: str, pem: str):
        self._address = address
        self._tls = ssl.create_default_context(cadata=pem)
        self._tls.check_hostname = False  # it is called zhibu, wherever it is

    def call(self, path: str, request, reply_class):
        connection = http.client.HTTPSConnection(self._address, context=self._tls,
                                                 timeout=PATIENCE)
        connection.request("POST", path, request.SerializeToString())
        reply = connection.getresponse()
        body, code = reply.read(), int(reply.getheader("grpc-status"))
        connection.close()
        if code != 0:
            raise Refusal(sync_pb2.Refusal.FromString(body), CODES[code])
        return reply_class.FromString(body)

    def stream(self, path: str):
        return _Stream(f"wss://{self._address}{path}", self._tls)


class _Stream:
    def __init__(self, url: str, tls):
        self._socket = websocket.create_connection(url, timeout=PATIENCE, suppress_origin=True,
                                                   sslopt={"context": tls})

    def send(self, frame: bytes):
        try:
            self._socket.send_binary(frame)
        except (websocket.WebSocketException, OSError):
            pass  # why, receive says

    def receive(self) -> bytes:
        try:
            kind, data = self._socket.recv_data()
        except (websocket.WebSocketException, OSError) as error:
            raise Ended(error) from error
        if kind != websocket.ABNF.OPCODE_BINARY:
            raise Ended(data)
        return data

    def close(self):
        self._socket.close(timeout=PATIENCE)

    def __del__(self):
        if hasattr(self, "_socket"):
            self._socket.shutdown()  # a test that lets go of a stream has ended it
