"""What the merge remembers of a record besides its value (zhibu/sync/v1/trace.proto)."""

from dataclasses import dataclass, field
from typing import NamedTuple, Optional

from zhibu.sync.v1 import trace_pb2


class Touch(NamedTuple):
    version: int
    writer: int
    stamp: int


NEVER = Touch(0, 0, 0)


@dataclass
class Candidate:
    touch: Touch
    value: bytes


@dataclass
class Element:
    frontier: list = field(default_factory=list)  # of (version, writer)
    touch: Optional[Touch] = None
    trace: "Optional[Trace]" = None
    removal: Optional[Touch] = None
    body: bytes = b""


@dataclass
class FieldTrace:
    touch: Optional[Touch] = None
    elements: dict = field(default_factory=dict)  # by key
    candidates: list = field(default_factory=list)


@dataclass
class Life:
    touch: Touch
    body: bytes
    trace: "Trace"
    removal: Touch
    founders: list


@dataclass
class Trace:
    rest: Optional[Touch] = None
    fields: dict = field(default_factory=dict)  # by slot
    frontier: list = field(default_factory=list)
    deleted: list = field(default_factory=list)
    former: list = field(default_factory=list)

    def is_empty(self):
        return self == Trace()


def _touch_of(message, name):
    return _touch(getattr(message, name)) if message.HasField(name) else None


def _touch(proto):
    return Touch(proto.version, proto.writer, proto.stamp)


def _tags(protos):
    return [(tag.version, tag.writer) for tag in protos]


def read_trace(proto) -> Trace:
    trace = Trace(rest=_touch_of(proto, "rest"), frontier=_tags(proto.frontier),
                  deleted=_tags(proto.deleted))
    for f in proto.fields:
        trace.fields[f.field] = FieldTrace(
            _touch_of(f, "touch"),
            {
                e.key: Element(_tags(e.frontier), _touch_of(e, "touch"),
                               read_trace(e.trace) if e.HasField("trace") else None,
                               _touch_of(e, "removal"), e.body)
                for e in f.elements
            },
            [Candidate(_touch(c.touch), c.value) for c in f.candidates])
    for life in proto.former_lives:
        trace.former.append(
            Life(_touch(life.touch), life.body, read_trace(life.trace), _touch(life.removal),
                 _tags(life.founders)))
    return trace


def _put_touch(message, name, touch):
    if touch is not None:
        proto = getattr(message, name)
        proto.SetInParent()
        proto.version, proto.writer, proto.stamp = touch


def _put_tags(protos, tags):
    for version, writer in tags:
        protos.add(version=version, writer=writer)


def write_trace(trace: Trace, proto=None):
    proto = trace_pb2.Trace() if proto is None else proto
    proto.SetInParent()
    _put_touch(proto, "rest", trace.rest)
    for slot, field_trace in sorted(trace.fields.items()):
        f = proto.fields.add(field=slot)
        _put_touch(f, "touch", field_trace.touch)
        for key, element in sorted(field_trace.elements.items()):
            e = f.elements.add(key=key, body=element.body)
            _put_tags(e.frontier, element.frontier)
            _put_touch(e, "touch", element.touch)
            _put_touch(e, "removal", element.removal)
            if element.trace is not None:
                write_trace(element.trace, e.trace)
        for candidate in field_trace.candidates:
            c = f.candidates.add(value=candidate.value)
            _put_touch(c, "touch", candidate.touch)
    _put_tags(proto.frontier, trace.frontier)
    _put_tags(proto.deleted, trace.deleted)
    for life in trace.former:
        proto_life = proto.former_lives.add(body=life.body)
        _put_touch(proto_life, "touch", life.touch)
        _put_touch(proto_life, "removal", life.removal)
        write_trace(life.trace, proto_life.trace)
        _put_tags(proto_life.founders, life.founders)
    return proto
