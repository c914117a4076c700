"""What a call or a stream may end with."""

from zhibu.sync.v1 import answer_pb2

PATIENCE = 30  # seconds for what must come


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
