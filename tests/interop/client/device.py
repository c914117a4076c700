"""A device: what it holds, and its side of a session (docs/wire.md, "A device's duties").

    view(record) = merge(confirmed(record), pending edits(record))

Everything is in memory; where a real device ends a transaction stands `# one transaction`.
"""

import copy
import os
import time

from google.protobuf.message import Message
from zhibu.sync.v1 import answer_pb2, edit_pb2, sync_pb2

from . import catalogue, compression, connection, crypto, merge, schema
from .edits import Change, Without, mark, places_of
from .held import Former, Held, Identity, Progress, Queued, SetAside

PROTOCOL = 3


class Device:
    def __init__(self, ticket: str, name: str = "interop", clock_error_ms: int = 0):
        self.name, self.clock_error_ms, self.offset_ms = name, clock_error_ms, 0
        self.identity = Identity(crypto.Key(os.urandom(32)))
        self.held = Held()
        self.stream = None
        self.progress = Progress()
        self.thrifty = False  # what spares bytes and a client may leave out
        self.enrol(ticket)

    def enrol(self, ticket: str):
        """Also where the server has forgotten the device, or asks again whose it is."""
        known = self.identity.fingerprint
        word, self.identity.address, self.identity.fingerprint, code = ticket.split("/")
        assert word == "zhibu1"
        request = sync_pb2.EnrolRequest(code=code, public_key=self.identity.key.public,
                                        device_name=self.name, device=self.identity.number)
        reply = connection.call(self._channel(), "Enrol", request, sync_pb2.EnrolReply)
        if known and known != self.identity.fingerprint:
            payload = crypto.enrolment_payload(self.identity.key.public, self.identity.fingerprint)
            assert reply.server_id == self.identity.server_id, "another server"
            assert crypto.is_signed(self.identity.courier_key, payload, reply.signature)
        before, self.identity.number = self.identity.number, reply.device
        self.identity.person, self.identity.server_id = reply.person_id, reply.server_id
        self.identity.courier_key = reply.courier_key
        if reply.device != before:  # else it is yet to be told that the server was restored
            self.begin_incarnation(reply.incarnation)
            self.held.last_number, self.held.last_link = 0, 0
            self._number(self.held.pending)

    def clone(self) -> "Device":
        """As a phone that is restored from a backup, or copied."""
        other = copy.copy(self)
        other.identity = copy.copy(self.identity)
        other.held, other.stream = copy.deepcopy(self.held), None
        return other

    def _channel(self):
        return connection.channel_to(self.identity.address, self.identity.fingerprint)

    # ---- Time ------------------------------------------------------------------------

    def _clock_ms(self):
        return int(time.time() * 1000) + self.clock_error_ms

    def now_ms(self):
        return self._clock_ms() + self.offset_ms

    def _stamp(self, made_ms, floor, before):
        said = crypto.stamp_at(min(made_ms + self.offset_ms, self.now_ms()))
        return max(said, floor + 1, before + 1)

    # ---- Reading -----------------------------------------------------------------------

    def state(self, kind: schema.Type, id_: bytes) -> merge.State:
        """What the app sees: what the server has said, with what is pending on top."""
        state = self.held.confirmed.get((kind.number, id_), merge.State())
        for queued in self.held.pending:
            for change in queued.changes():
                if (change.type, change.id) == (kind.number, id_):
                    origin = merge.Origin(self.identity.number, merge.PENDING, queued.stamp)
                    try:
                        state = merge.apply(kind, change, origin, state, merge.Outcome())
                    except merge.Refused:
                        pass  # the server will say so
        return state

    def get(self, name: str, id_: bytes) -> "Message | None":
        kind = catalogue.TYPES[name]
        state = self.state(kind, id_)
        return kind.message_class.FromString(state.body) if state.alive else None

    def all(self, name: str) -> dict:
        kind = catalogue.TYPES[name]
        ids = {id_ for number, id_ in self.held.confirmed if number == kind.number}
        ids |= {c.id for q in self.held.pending for c in q.changes() if c.type == kind.number}
        found = {id_: self.get(name, id_) for id_ in ids}
        return {id_: record for id_, record in found.items() if record is not None}

    def find(self, type_name: str, /, **where) -> bytes:
        found = [id_ for id_, record in self.all(type_name).items()
                 if all(getattr(record, f) == v for f, v in where.items())]
        assert len(found) == 1, f"{len(found)} of {type_name} {where}"
        return found[0]

    # ---- Writing -----------------------------------------------------------------------

    def new_id(self) -> bytes:
        ms = self.now_ms().to_bytes(6, "big")
        chance = bytearray(os.urandom(10))
        chance[0] = 0x70 | chance[0] & 0x0F  # version 7 of RFC 9562
        chance[2] = 0x80 | chance[2] & 0x3F
        return ms + bytes(chance)

    def create(self, record: Message) -> "tuple[bytes, Change]":
        kind = catalogue.TYPES[record.DESCRIPTOR.name]
        body = schema.canonical(kind.fields, record.SerializeToString())
        id_ = crypto.derive_id(kind, body) if kind.id_from else self.new_id()
        scopes = places_of(kind, body)
        seen = [c.version for c in self.held.cursors.values()
                if c.scope in scopes and c.audience & kind.readers]
        base = max(seen, default=0)
        change = Change(type=kind.number, id=id_, kind=Change.CREATE, base=base, set=body)
        mark(kind.fields, change, body, Without())
        return id_, change

    def update(self, name: str, id_: bytes, set_: "Message | bytes" = b"",
               without: "Without | None" = None) -> Change:
        kind = catalogue.TYPES[name]
        if isinstance(set_, Message):
            set_ = schema.canonical(kind.fields, set_.SerializeToString())
        confirmed = self.held.confirmed.get((kind.number, id_), merge.State())
        change = Change(type=kind.number, id=id_, base=confirmed.version, set=set_)
        if without is not None:
            change.without.CopyFrom(without)
        mark(kind.fields, change, set_, without or Without())
        return change

    def delete(self, name: str, id_: bytes) -> Change:
        kind = catalogue.TYPES[name]
        confirmed = self.held.confirmed.get((kind.number, id_), merge.State())
        return Change(type=kind.number, id=id_, kind=Change.DELETE, base=confirmed.version)

    def commit(self, *changes: Change) -> int:  # one transaction
        edit = edit_pb2.Edit(changes=changes, device_time_ms=self._clock_ms(),
                             salt=int.from_bytes(os.urandom(8), "big"))
        held, touched = self.held, {(c.type, c.id) for c in changes}
        builds_on = {}
        for queued in held.pending:  # of each record the last one that changed it
            builds_on.update({(c.type, c.id): queued.number for c in queued.changes()})
        held.last_number += 1
        before = max((q.stamp for q in held.pending), default=0)
        made_ms, data = self._clock_ms(), edit.SerializeToString()
        held.pending.append(
            Queued(held.last_number, held.last_link, data,
                   self._stamp(made_ms, held.observed, before), made_ms, held.observed,
                   sorted({n for key, n in builds_on.items() if key in touched})))
        held.last_link = crypto.link_to(data)
        return held.last_number

    # ---- A session ------------------------------------------------------------------------

    def hello(self) -> bytes:
        unanswered = min((q.number for q in self.held.pending), default=0)
        return sync_pb2.Hello(
            protocol=PROTOCOL, device=self.identity.number, server_id=self.identity.server_id,
            cursors=self.held.cursors.values(), app="interop", unanswered=unanswered,
            incarnation=self.identity.incarnation, seen=self.held.seen,
            dictionary=compression.NUMBER if self.thrifty else 0,
            own_as_made=self.thrifty).SerializeToString()

    def open(self):
        """Through the handshake: whether the session is open; else another is to begin."""
        self.close()
        self.stream = connection.Stream(self._channel())
        self.progress = Progress()
        self.parts, self.caught_up, self.sent = sync_pb2.Update(), False, 0
        self.in_flight, hello = set(), self.hello()
        began = time.monotonic()
        self.stream.say(hello=hello)
        _, challenge = self.stream.hear("challenge")
        self._restamp(challenge.server_time_ms, int((time.monotonic() - began) * 1000) + 1)
        payload = crypto.proof_payload(challenge.nonce, self.identity.fingerprint, hello)
        self.stream.say(proof=sync_pb2.Proof(signature=self.identity.key.sign(payload)))
        kind, heard = self.stream.hear("welcome", "restored", "refusal")
        if kind == "refusal":
            if heard.reason != answer_pb2.UNKNOWN_DEVICE or not self.held.former:
                raise connection.Refusal(heard)
            self._go_back()
            return False
        if kind == "restored":
            self.begin_incarnation(heard.incarnation)
            return False
        self.progress.to_pass = heard.to_pass
        self.stream.compresses = heard.dictionary == compression.NUMBER
        self.service = heard.service
        if self.service == sync_pb2.Welcome.LOST:  # before anything is sent
            self.held = Held(pending=self.held.pending, last_number=self.held.last_number,
                             last_link=self.held.last_link)
        self.identity.courier_key = heard.courier_key
        self.held.kept = [q for q in self.held.kept if q.number > heard.safe]
        if heard.safe > 0:
            self.held.former = []
        return True

    def push(self):
        """What has not been sent in this session."""
        edits = [q for q in self.held.pending if q.number > self.sent]
        if not edits:
            return
        self.stream.say(push=sync_pb2.Push(edits=[self.numbered(q) for q in edits]))
        self.sent = edits[-1].number
        self.in_flight |= {q.number for q in edits}

    def listen(self):
        """Takes one frame: whether the session goes on."""
        kind, heard = self.stream.hear("update", "renumber")
        if kind == "renumber":
            self._renumber(heard.device)
            return False
        self._take(heard)
        return True

    def _take(self, update):
        self.parts.MergeFrom(update)
        self.progress.parts += update.continues
        if not update.continues:
            whole, self.parts = self.parts, sync_pb2.Update()
            self._apply(whole)
            self.caught_up = not whole.catching_up

    def sync(self):
        """Everything sent and answered, and everything received. The stream stays open."""
        while True:
            goes_on = self.open()
            while goes_on:
                self.push()
                if self.caught_up and not self.in_flight:
                    return self if self.service == sync_pb2.Welcome.IN_SERVICE else self._leave()
                goes_on = self.listen()

    def _leave(self):
        """Nothing is left but the keys."""
        self.stream.say(leave=sync_pb2.Leave())
        try:
            self.stream.hear()
        except connection.Refusal as refusal:
            if refusal.reason == "DEVICE_WIPED":
                self.identity, self.held = None, Held()
            raise

    def ask(self, **ask) -> list:
        """Of what is not held here: every record, page by page."""
        found, ask["id"] = [], 1
        while True:
            self.stream.say(ask=sync_pb2.Ask(**ask))
            kind, page = self.stream.hear("page", "update")
            while kind == "update":
                self._take(page)
                kind, page = self.stream.hear("page", "update")
            if page.HasField("refusal"):
                raise connection.Refusal(page.refusal)
            found += zip(page.ids, page.bodies)
            if not page.next:
                return found
            ask["after"] = page.next

    def close(self):
        if self.stream is not None:
            self.stream.close()
            self.stream = None

    @staticmethod
    def numbered(queued: Queued) -> "sync_pb2.NumberedEdit":
        return sync_pb2.NumberedEdit(
            number=queued.number, stamp=queued.stamp, edit=queued.edit, previous=queued.previous,
            builds_on=queued.builds_on, withdrawn=queued.withdrawn)

    # ---- What is said to it: each is one transaction ------------------------------------------

    def _restamp(self, server_ms, late_ms):
        # The server's word is late by no more than it took: within that what was known stands.
        offset_ms = server_ms - self._clock_ms()
        self.offset_ms = min(max(self.offset_ms, offset_ms), offset_ms + late_ms)
        ahead, stamp = self._ahead(), 0
        for queued in self.held.pending:
            floor = queued.floor if queued.floor <= ahead else 0
            stamp = queued.stamp = self._stamp(queued.made_ms, floor, stamp)

    def _ahead(self):
        """A stamp beyond this is of a clock that was wrong."""
        return crypto.stamp_at(self.now_ms() + 60_000)

    def _apply(self, update):
        held = self.held
        self.progress.updates += 1
        self.progress.passed += update.passed
        made = {}
        for answer in update.answers:
            self._take_answer(answer, made)
        dropped = set(update.dropped)
        for key in [k for k, s in held.confirmed.items() if self._lies_in(k, s, dropped)]:
            del held.confirmed[key]
        if update.dropped and held.pending:
            held.seen += [c for c in held.cursors.values() if c.scope in dropped]
        for removal in update.removals:
            for id_ in _ids(removal.ids):
                held.confirmed.pop((removal.type, id_), None)
        held.confirmed.update(made)
        held.stale -= made.keys()
        for group in update.groups:
            touch = merge.Touch(group.version, group.writer, group.stamp)
            if group.stamp <= self._ahead():
                held.observed = max(held.observed, group.stamp)
            for i, id_ in enumerate(_ids(group.ids)):
                trace = group.traces[i] if group.traces else b""
                key = group.type, id_
                held.confirmed[key] = merge.State(True, touch, None, group.bodies[i], trace)
                held.stale.discard(key)
        for cursor in update.cursors:
            held.cursors[cursor.scope] = cursor
            if cursor.audience == 0:
                del held.cursors[cursor.scope]
        if not update.catching_up:
            for key in held.stale:
                held.confirmed.pop(key, None)
            held.stale = set()
        if not held.pending:
            held.seen = []

    @staticmethod
    def _lies_in(key, state, dropped):
        kind = catalogue.BY_NUMBER.get(key[0])
        if not dropped:
            return False
        if kind is None or key[1] in dropped:
            return True
        return not places_of(kind, state.body).isdisjoint(dropped)

    def _take_answer(self, answer, made):
        for queued in self.held.pending:
            if (queued.number, crypto.link_to(queued.edit)) == (answer.number, answer.link):
                self.held.pending.remove(queued)
                self.held.kept.append(queued)
                self.in_flight.discard(queued.number)
                self.put_aside(queued, answer)
                if answer.as_made_at:
                    made.update(self._as_made(queued, answer.as_made_at))
                return
        assert not answer.as_made_at, "another stream has brought the answer"

    def _as_made(self, queued, version):
        self.progress.as_made += 1
        touch = merge.Touch(version, self.identity.number, queued.stamp)
        return {(change.type, change.id): merge.State(True, touch, None, change.set, b"")
                for change in queued.changes()}

    def put_aside(self, queued, answer):
        if answer.verdict != answer_pb2.MERGED and not queued.withdrawn:
            self.held.set_aside.append(
                SetAside(queued, answer_pb2.Verdict.Name(answer.verdict),
                         answer_pb2.Reason.Name(answer.reason), answer.detail))

    def _renumber(self, number):
        """Another copy has used the numbers: what has no answer begins at 1."""
        held = self.held
        held.former.append(
            Former(self.identity.number, held.kept, held.last_number, held.last_link))
        self.identity.number, held.kept = number, []
        held.last_number, held.last_link = 0, 0
        self._number(held.pending)

    def _number(self, edits):
        """After the last number, with the links that follow."""
        held, first = self.held, self.held.last_number + 1
        new = {q.number: n for n, q in enumerate(edits, first)}
        for queued in edits:
            queued.number = held.last_number = new[queued.number]
            queued.builds_on = [new[n] for n in queued.builds_on if n in new]
            queued.previous = held.last_link
            held.last_link = crypto.link_to(queued.edit)

    def _go_back(self):
        """The server was restored to before it gave this number: to the one before that."""
        held, former = self.held, self.held.former.pop()
        after = sorted(held.kept + held.pending, key=lambda q: q.number)
        self.identity.number = former.number
        held.last_number, held.last_link = former.last_number, former.last_link
        self._number(after)
        held.kept, held.pending = [], former.kept + after

    def begin_incarnation(self, incarnation):
        """The server has forgotten: what is not known to be in a backup is offered again."""
        held, self.identity.incarnation = self.held, incarnation
        held.set_aside = [a for a in held.set_aside if a.queued not in held.kept]  # judged anew
        held.pending = sorted(held.kept + held.pending, key=lambda q: q.number)
        held.kept, held.former = [], []
        held.seen += held.cursors.values()
        held.cursors, held.stale = {}, set(held.confirmed)


def _ids(data: bytes):
    return [data[at : at + 16] for at in range(0, len(data), 16)]
