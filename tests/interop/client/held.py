"""What a device holds: all that must be on its disk."""

from dataclasses import dataclass, field

from zhibu.sync.v1 import edit_pb2

from . import crypto


@dataclass
class Queued:
    """An edit of this device's own."""

    number: int
    previous: int  # link to the edit before
    edit: bytes
    stamp: int
    made_ms: int  # by the device's clock
    floor: int  # the highest stamp that the author had seen
    builds_on: list
    withdrawn: bool = False
    delivered: bool = False  # by a courier: it is in, and what it did has not come yet

    def changes(self):
        return edit_pb2.Edit.FromString(self.edit).changes


@dataclass
class Identity:
    key: crypto.Key
    address: str = ""
    fingerprint: str = ""
    number: int = 0
    person: bytes = b""
    server_id: bytes = b""
    incarnation: bytes = b""
    courier_key: bytes = b""


@dataclass
class SetAside:
    queued: Queued
    verdict: str
    reason: str
    detail: str


@dataclass
class Former:
    """A number that the device went by before it was renumbered."""

    number: int
    kept: list
    last_number: int
    last_link: int


@dataclass
class Progress:
    to_pass: int = 0
    passed: int = 0
    updates: int = 0
    as_made: int = 0  # records that were not sent back
    parts: int = 0  # of updates that went on in the next frame


@dataclass
class Held:
    """And what came from the server."""

    cursors: dict = field(default_factory=dict)  # by scope
    seen: list = field(default_factory=list)  # cursors that are gone, while anything is unsent
    confirmed: dict = field(default_factory=dict)  # (type, id) → merge.State
    stale: set = field(default_factory=set)  # not spoken of since everything is read anew
    pending: list = field(default_factory=list)
    kept: list = field(default_factory=list)  # answered, and not known to be in a backup
    former: list = field(default_factory=list)
    set_aside: list = field(default_factory=list)
    last_number: int = 0
    last_link: int = 0
    observed: int = 0  # the highest stamp
