"""The merge (docs/wire.md, "The merge"): one change applied to one record. Pure.

    state = apply(fields, change, origin, state, outcome)
"""

from dataclasses import dataclass, field
from typing import Optional

from zhibu.schema.v1 import options_pb2 as options
from zhibu.sync.v1 import edit_pb2, trace_pb2

from . import schema, wire
from .trace import (NEVER, Candidate, Element, FieldTrace, Life, Touch, Trace, read_trace,
                    write_trace)

SERVER = 1  # the number of the server's own device
PENDING = (1 << 64) - 1  # the version of what has none yet


class Refused(Exception):
    def __init__(self, reason: str, detail: str):
        super().__init__(reason, detail)
        self.reason, self.detail = reason, detail


@dataclass
class Outcome:
    # (kind, path, kept, lost, kept_touch, lost_touch)
    conflicts: list = field(default_factory=list)
    settled: list = field(default_factory=list)  # (path, touch)


@dataclass
class Origin:
    """Who makes the change."""

    device: int
    version: int
    stamp: int
    latest: int = (1 << 64) - 1
    base_max: int = PENDING
    made_later: frozenset = frozenset()


@dataclass
class State:
    exists: bool = False
    touch: Touch = NEVER
    deletion: Optional[Touch] = None
    body: bytes = b""
    trace: bytes = b""

    @property
    def alive(self):
        return self.exists and self.deletion is None

    @property
    def version(self):
        return max(self.touch.version, self.deletion.version if self.deletion else 0)


# ---- Who has seen what ----------------------------------------------------------------


class Author:
    def __init__(self, origin: Origin, base: int):
        self.device = origin.device
        self.base = min(base, origin.base_max)
        self.touch = Touch(origin.version, origin.device, origin.stamp)
        self.latest = origin.latest
        self.made_later = origin.made_later

    def saw(self, version, writer):
        if writer != self.device:
            return version <= self.base
        return version not in self.made_later

    def saw_touch(self, touch):
        return self.saw(touch.version, touch.writer)

    def saw_all(self, tags):
        return all(self.saw(*tag) for tag in tags)

    def unseen(self, tags):
        return [tag for tag in tags if not self.saw(*tag)]

    def beats(self, touch):
        return touch.stamp > self.latest or later(self.touch, touch)


def later(a: Touch, b: Touch):
    return (a.stamp, a.writer) > (b.stamp, b.writer)


def says_no_more(frontier, touch):
    return frontier == [(touch.version, touch.writer)]


# ---- A record, or an element of a keyed list, through deletion and re-creation ----------


@dataclass
class Thing:
    exists: bool
    touch: Touch
    end: Optional[Touch]
    body: bytes
    trace: Trace


class Lives:
    def __init__(self, fields, author, former, path, thing, outcome):
        self.fields, self.author, self.former, self.path = fields, author, former, path
        self.thing, self.outcome = thing, outcome

    def change(self, set_, without, anew):
        thing, author = self.thing, self.author
        deleted, lives = self._take_past()
        before = thing.touch if thing.exists else author.touch
        known = 0
        while known < len(lives) and self._knew(anew, lives[known]):
            known += 1
        if known < len(lives):  # the author knew neither that this life ended nor of a new one
            life = lives[known]
            self._kept(author.touch, thing.end or life.removal)
            before = life.touch
            thing.body = life.body
            life.trace.frontier = thing.trace.frontier
            thing.trace = life.trace
            del lives[known:]
        elif (anew and (thing.end or self.path) and thing.exists
              and author.saw_all(thing.trace.frontier) and author.saw_all(deleted)):
            life = Life(thing.touch, thing.body, thing.trace, thing.end or author.touch,
                        [(author.touch.version, author.touch.writer)])
            life.trace.frontier = life.trace.frontier + deleted
            lives.append(life)
            deleted = []
            thing.body, thing.trace = b"", Trace()
            before = author.touch
        elif thing.end:
            self._kept(author.touch, thing.end)
        node = Node(self.fields, author, self.former, self.path, self.outcome)
        thing.body = node.merge(set_, without, before, thing.body, thing.trace)
        for life in lives:
            untold = Node(self.fields, author, True, self.path, Outcome())
            life.body = untold.merge(set_, without, life.touch, life.body, life.trace)
            life.touch = author.touch
        thing.trace.frontier = author.unseen(thing.trace.frontier)
        thing.trace.frontier.append((author.touch.version, author.touch.writer))
        thing.touch, thing.end, thing.exists = author.touch, None, True
        self._keep_past(author.unseen(deleted), lives)

    def delete(self):
        thing, author = self.thing, self.author
        if not thing.exists or thing.end:
            return
        deleted, lives = self._take_past()
        deleted += [tag for tag in thing.trace.frontier if author.saw(*tag)]
        thing.trace.frontier = author.unseen(thing.trace.frontier)
        if thing.trace.frontier:
            self._kept(thing.touch, author.touch)
        else:
            thing.end = author.touch
        self._keep_past(deleted, lives)

    def _take_past(self):
        trace = self.thing.trace
        deleted, lives = trace.deleted, trace.former
        trace.deleted, trace.former = [], []
        if self.thing.end and not deleted:
            deleted = [(self.thing.touch.version, self.thing.touch.writer)]
        return deleted, lives

    def _keep_past(self, deleted, lives):
        if self.thing.end and says_no_more(deleted, self.thing.touch):
            deleted = []
        self.thing.trace.deleted, self.thing.trace.former = deleted, lives

    def _knew(self, anew, life):
        if any(self.author.saw(*tag) for tag in life.founders):
            return True
        if not anew or not self.author.saw_all(life.trace.frontier):
            return False
        life.founders.append((self.author.touch.version, self.author.touch.writer))
        return True

    def _kept(self, kept, lost):
        self.outcome.conflicts.append(("KEPT_FROM_DELETION", self.path, b"", b"", kept, lost))


# ---- The fields of one message -----------------------------------------------------------


class Node:
    def __init__(self, fields, author, former, path, outcome):
        self.fields, self.author, self.former = fields, author, former
        self.path, self.outcome = path, outcome

    def merge(self, set_, without, before, body, trace) -> bytes:
        self.value = self.fields.slots(body)
        self.trace = trace
        self._pin(before)
        for slot, raw in self.fields.slots(set_).items():
            self._policy(slot).take(raw, without)
        for number in without.cleared:
            self._policy(self.fields.slot_of(number)).clear()
        for removed in without.removed:
            self._policy(removed.field).remove(removed.elements)
        self._unpin()
        return b"".join(raw for _, raw in sorted(self.value.items()))

    def _policy(self, slot):
        rule = self.fields.find(slot)
        return POLICIES[rule.policy if rule else options.LATEST](self, slot, rule)

    def _pin(self, before):
        """Every touch is written out while the change is merged."""
        self.trace.rest = self.trace.rest or before
        for field_trace in self.trace.fields.values():
            field_trace.touch = field_trace.touch or before
        self.made_now = self.trace.rest == self.author.touch

    def _unpin(self):
        """And what the record's own touch, or `rest`, says as well is left out."""
        mine, rest = self.author.touch, self.trace.rest
        for slot, field_trace in list(self.trace.fields.items()):
            touch = field_trace.touch
            field_trace.elements = {
                key: e
                for key, e in field_trace.elements.items()
                if not (says_no_more(e.frontier, rest) and e.trace is None
                        and e.touch in (None, rest))
            }
            if (touch == rest and not field_trace.elements and not field_trace.candidates
                    and self.value.get(slot)):
                del self.trace.fields[slot]
            elif touch == mine:
                field_trace.touch = None
        if rest == mine:
            self.trace.rest = None


class Latest:
    """The later write wins; a concurrent loser is told."""

    def __init__(self, node, slot, rule):
        self.node, self.slot, self.rule = node, slot, rule
        self.author = node.author
        self.name = rule.name if rule else str(slot)
        self.path = f"{node.path}.{self.name}" if node.path else self.name

    @property
    def value(self):
        return self.node.value.get(self.slot, b"")

    def touch(self):
        found = self.node.trace.fields.get(self.slot)
        if found:
            return found.touch
        return self.node.trace.rest if self.value else NEVER

    def rest_speaks(self):
        return self.node.made_now and self.slot not in self.node.trace.fields

    def trace(self) -> FieldTrace:
        return self.node.trace.fields.setdefault(self.slot, FieldTrace(self.node.trace.rest))

    def set(self, raw):
        self.node.value.pop(self.slot, None)
        if raw:
            self.node.value[self.slot] = raw

    def put(self, raw):
        self.set(raw)
        if not raw or not self.rest_speaks():
            self.trace().touch = self.author.touch

    def refuse(self, reason, detail=None):
        raise Refused(reason, self.path if detail is None else detail)

    def take(self, raw, without=None):
        theirs, value, mine = self.touch(), self.value, self.author.touch
        wins = self.author.beats(theirs)
        if not self.author.saw_touch(theirs) and value != raw:
            kept, lost = ((raw, mine), (value, theirs)) if wins else ((value, theirs), (raw, mine))
            self.node.outcome.conflicts.append(
                ("OVERWRITTEN", self.path, kept[0], lost[0], kept[1], lost[1]))
        if self.author.saw_touch(theirs) or wins:
            self.put(raw)

    def clear(self):
        self.take(b"")

    def remove(self, elements):
        self.refuse("MALFORMED")


class Ask(Latest):
    """The earliest of the writes that nobody has settled holds the field; all stay open."""

    def take(self, raw, without=None):
        current, value, trace = self.touch(), self.value, self.trace()
        opened = trace.candidates
        if not opened and current.version:
            opened = [Candidate(current, value)]
        if len(opened) > 1:
            self.node.outcome.settled += [
                (self.path, c.touch) for c in opened if self.author.saw_touch(c.touch)]
        opened = [c for c in opened if not self.author.saw_touch(c.touch)]
        mine = self.author.touch
        opened.append(Candidate(mine, raw))
        opened.sort(key=lambda c: (c.touch.stamp, c.touch.writer))
        holder = opened[0]
        for other in opened[1:]:
            if mine in (other.touch, holder.touch) and other.value != holder.value:
                self.node.outcome.conflicts.append(
                    ("OPEN_QUESTION", self.path, holder.value, other.value, holder.touch,
                     other.touch))
        self.set(holder.value)
        trace.touch = holder.touch
        trace.candidates = opened if len(opened) > 1 else []


class First(Latest):
    """Written once; a second, different value is refused."""

    def take(self, raw, without=None):
        if raw == self.value:
            return
        if self.value and not self.node.former:
            self.refuse("ALREADY_WRITTEN")
        self.put(raw)

    def clear(self):
        if self.value:
            self.take(b"")


class Sum(Latest):
    """What the edit carries is added."""

    def _number(self, raw):
        number = 0
        for found in wire.fields(raw):
            number = found.value
        zigzag = self.rule.descriptor.type == self.rule.descriptor.TYPE_SINT64
        return wire.unzigzag(number) if zigzag else number

    def take(self, raw, without=None):
        total = self._number(self.value) + self._number(raw) & (1 << 64) - 1
        if self.rule.descriptor.type == self.rule.descriptor.TYPE_SINT64:
            total = wire.zigzag(total - (1 << 64) if total >> 63 else total)
        self.put(wire.number_field(self.slot, wire.VARINT, total) if total else b"")

    def clear(self):
        self.refuse("MALFORMED")


class Extreme(Latest):
    """MAX and MIN: only ever rises, or falls."""

    def _scalar(self, raw):
        d = self.rule.descriptor
        if d.type == d.TYPE_MESSAGE:  # a Timestamp
            seconds = nanos = 0
            for found in wire.fields(raw):
                parts = {f.number: f.value for f in wire.fields(found.value)}
                seconds, nanos = parts.get(1, seconds), parts.get(2, nanos)
            return (seconds - (1 << 64) if seconds >> 63 else seconds, nanos)
        found = schema.last_of(d, raw)
        if schema.wire_type(d) == wire.BYTES:
            return found.value if found else b""
        number = found.value if found else 0
        if d.type in (d.TYPE_SINT32, d.TYPE_SINT64):
            return wire.unzigzag(number)
        if d.type == d.TYPE_SFIXED32:
            return number - (1 << 32) if number >> 31 else number
        if d.type in (d.TYPE_INT32, d.TYPE_INT64, d.TYPE_SFIXED64):
            return number - (1 << 64) if number >> 63 else number
        return number

    def take(self, raw, without=None):
        ours, theirs = self._scalar(raw), self._scalar(self.value)
        written = bool(self.value) or self.touch() != NEVER
        further = theirs < ours if self.rule.policy == options.MAX else ours < theirs
        if written and not further:
            return
        zero = ours in (0, b"", (0, 0)) and not self.rule.descriptor.has_presence
        self.put(b"" if zero else raw)

    def clear(self):
        self.refuse("BAD_VALUE")


class Elements(Latest):
    def element(self, trace, key, there) -> Element:
        if key not in trace.elements:
            rest = self.node.trace.rest
            trace.elements[key] = (
                Element([(rest.version, rest.writer)], rest) if there else Element())
        return trace.elements[key]

    def clear(self):
        self.refuse("MALFORMED")


class AddWins(Elements):
    """A set: what one takes out while another adds it stays."""

    def _put_members(self, members):
        self.put(b"".join(wire.bytes_field(self.slot, m) for m in sorted(members)))

    def take(self, raw, without=None):
        members, added = set(schema.members_of(self.value)), schema.members_of(raw)
        if added and self.rest_speaks():
            return self._put_members(members | set(added))
        trace = self.trace()
        for member in added:
            element = self.element(trace, member, member in members)
            element.touch = None
            element.frontier = self.author.unseen(element.frontier)
            element.frontier.append((self.author.touch.version, self.author.touch.writer))
        self._put_members(members | set(added))

    def remove(self, elements):
        members, trace = set(schema.members_of(self.value)), self.trace()
        for member in elements:
            if member not in members:
                continue
            element = self.element(trace, member, True)
            element.touch = None
            element.frontier = self.author.unseen(element.frontier)
            if not element.frontier:
                members.remove(member)
                del trace.elements[member]
        self._put_members(members)


class ByKey(Elements):
    """A keyed list: each element has lives of its own, each of its fields its own policy."""

    def _lives(self, key, thing):
        d = self.rule.key
        text = schema.wire_type(d) == wire.BYTES
        name = key.decode("utf-8", "surrogateescape") if text else int.from_bytes(key, "big")
        return Lives(self.rule.element, self.author, self.node.former, f"{self.path}[{name}]",
                     thing, self.node.outcome)

    @staticmethod
    def _thing(element, body):
        trace = element.trace or Trace()
        trace.frontier = element.frontier
        return Thing(element.touch is not None, element.touch or NEVER, element.removal,
                     element.body if element.removal else body, trace)

    @staticmethod
    def _keep(thing, element):
        element.touch, element.removal = thing.touch, thing.end
        element.body = thing.body if thing.end else b""
        element.frontier, thing.trace.frontier = thing.trace.frontier, []
        element.trace = None if thing.trace.is_empty() else thing.trace

    def _put_elements(self, elements):
        self.put(b"".join(wire.bytes_field(self.slot, body)
                          for _, body in sorted(elements.items())))

    def take(self, raw, without=None):
        elements, trace = schema.elements_of(self.rule, self.value), self.trace()
        nested = {n.key: n for n in without.nested if n.field == self.slot}
        for key, change in schema.elements_of(self.rule, raw).items():
            element = self.element(trace, key, key in elements)
            thing = self._thing(element, elements.get(key, b""))
            taken = nested.get(key, edit_pb2.Without.Nested())
            self._lives(key, thing).change(change, taken.without, taken.created)
            elements[key] = thing.body
            self._keep(thing, element)
        self._put_elements(elements)

    def remove(self, keys):
        elements, trace = schema.elements_of(self.rule, self.value), self.trace()
        for key in keys:
            if key not in elements:
                continue
            element = self.element(trace, key, True)
            thing = self._thing(element, elements[key])
            self._lives(key, thing).delete()
            if thing.end:
                del elements[key]
            self._keep(thing, element)
        self._put_elements(elements)


class Forward(Latest):
    """A state machine: only steps that the enum declares."""

    def _state(self, raw):
        found = schema.last_of(self.rule.descriptor, raw)
        return found.value if found else 0

    def _name(self, number):
        value = self.rule.descriptor.enum_type.values_by_number.get(number)
        return value.name if value else str(number)

    def take(self, raw, without=None):
        step = self._state(self.value), self._state(raw)
        if step[0] == step[1]:
            return
        if step not in self.rule.steps and not self.node.former:
            self.refuse("STEP_NOT_ALLOWED",
                        f"{self.path}: {self._name(step[0])} → {self._name(step[1])}")
        self.put(raw)

    def clear(self):
        if not self.value:
            return
        if not self.node.former:
            self.refuse("STEP_NOT_ALLOWED")
        self.put(b"")


class ServerOnly(Latest):
    def take(self, raw, without=None):
        if self.author.device != SERVER:
            self.refuse("SERVER_ONLY")
        self.put(raw)


POLICIES = {
    options.LATEST: Latest, options.ASK: Ask, options.FIRST: First, options.SUM: Sum,
    options.MAX: Extreme, options.MIN: Extreme, options.ADD_WINS: AddWins, options.BY_KEY: ByKey,
    options.FORWARD: Forward, options.SERVER: ServerOnly,
}


# ---- One change to one record ----------------------------------------------------------------


def apply(kind, change, origin: Origin, state: State, outcome: Outcome) -> State:
    """The state after. `kind`: a schema.Type. Raises Refused; then nothing is told either."""
    author, news = Author(origin, change.base), Outcome()
    if not state.exists and change.kind != edit_pb2.Change.CREATE:
        raise Refused("NO_SUCH_RECORD", kind.descriptor.name)
    trace = read_trace(trace_pb2.Trace.FromString(state.trace))
    if state.alive and not trace.frontier:
        trace.frontier = [(state.touch.version, state.touch.writer)]
    thing = Thing(state.exists, state.touch, state.deletion, state.body, trace)
    lives = Lives(kind.fields, author, False, "", thing, news)
    if change.kind == edit_pb2.Change.DELETE:
        lives.delete()
    else:
        lives.change(change.set, change.without, change.kind == edit_pb2.Change.CREATE)
    if says_no_more(thing.trace.frontier, thing.touch):
        thing.trace.frontier = []
    outcome.conflicts += news.conflicts
    outcome.settled += news.settled
    return State(thing.exists, thing.touch, thing.end, thing.body,
                 write_trace(thing.trace).SerializeToString())
