"""What a record's declaration says of its fields: the options of zhibu/schema/v1/options.proto,
read from the descriptors."""

from google.protobuf.descriptor import FieldDescriptor as FD
from zhibu.schema.v1 import options_pb2

from . import wire

Policy = options_pb2.Policy

_FIXED = {
    FD.TYPE_FIXED64: wire.FIXED64, FD.TYPE_SFIXED64: wire.FIXED64, FD.TYPE_DOUBLE: wire.FIXED64,
    FD.TYPE_FIXED32: wire.FIXED32, FD.TYPE_SFIXED32: wire.FIXED32, FD.TYPE_FLOAT: wire.FIXED32,
}
_BYTES = {FD.TYPE_STRING, FD.TYPE_BYTES, FD.TYPE_MESSAGE}


def wire_type(descriptor) -> int:
    if descriptor.type in _BYTES:
        return wire.BYTES
    return _FIXED.get(descriptor.type, wire.VARINT)


class Rule:
    """One field, and how it merges."""

    def __init__(self, descriptor):
        options = descriptor.GetOptions().Extensions
        self.descriptor = descriptor
        self.number = descriptor.number
        self.name = descriptor.name
        self.policy = options[options_pb2.merge]
        self.place = options[options_pb2.place]
        oneof = descriptor.containing_oneof
        self.slot = min(f.number for f in oneof.fields) if oneof else self.number
        self.element = self.key = None
        if self.policy == options_pb2.BY_KEY:
            entry = descriptor.message_type
            self.element = Fields(entry)
            is_map = entry.GetOptions().map_entry
            self.key = entry.fields_by_name["key" if is_map else options[options_pb2.key]]
        hidden = any(
            options[o]
            for o in (options_pb2.seen_by, options_pb2.written_by, options_pb2.home_only,
                      options_pb2.sensitive))
        self.special = bool(
            self.policy != options_pb2.LATEST or self.place != options_pb2.NOWHERE or oneof
            or options[options_pb2.reads_as] or hidden)
        self.steps = set()
        if self.policy == options_pb2.FORWARD:
            values = descriptor.enum_type.values_by_name
            self.steps = {
                (value.number, values[name].number)
                for value in descriptor.enum_type.values
                for name in value.GetOptions().Extensions[options_pb2.next]
            }


class Fields:
    """The fields of one message. A field that is not found merges as LATEST."""

    _known = {}

    def __new__(cls, descriptor):
        if descriptor not in cls._known:  # elements may hold elements of their own kind
            made = cls._known[descriptor] = super().__new__(cls)
            made.rules = {}
            made.rules.update((f.number, Rule(f)) for f in descriptor.fields)
        return cls._known[descriptor]

    def find(self, number):
        return self.rules.get(number)

    def slot_of(self, number):
        rule = self.rules.get(number)
        return rule.slot if rule else number

    def slots(self, data: bytes) -> "dict[int, bytes]":
        """The bytes of each field, of each oneof, all occurrences together, by ascending number."""
        slots = {}
        for field in wire.fields(data):
            slot = self.slot_of(field.number)
            slots[slot] = slots.get(slot, b"") + field.whole
        return dict(sorted(slots.items()))


class Type:
    """A record type."""

    def __init__(self, message_class):
        self.message_class = message_class
        self.descriptor = message_class.DESCRIPTOR
        record = self.descriptor.GetOptions().Extensions[options_pb2.record]
        self.number = record.type
        self.id_from = [self.descriptor.fields_by_name[name].number for name in record.id_from]
        self.fields = Fields(self.descriptor)
        self.readers = sum(1 << office for office in record.readers)  # as Cursor.audience


def last_of(descriptor, data: bytes):
    """The field as it stands, or None."""
    found = None
    for field in wire.fields(data):
        if field.number == descriptor.number and field.type == wire_type(descriptor):
            found = field
    return found


def key_of(descriptor, element: bytes) -> bytes:
    """Of an element: text as it stands, a number as eight bytes of what is on the wire."""
    found = last_of(descriptor, element)
    if wire_type(descriptor) == wire.BYTES:
        return found.value if found else b""
    return (found.value if found else 0).to_bytes(8, "big")


def elements_of(rule: Rule, raw: bytes) -> "dict[bytes, bytes]":
    elements = {key_of(rule.key, field.value): field.value for field in wire.fields(raw)}
    return dict(sorted(elements.items()))


def members_of(raw: bytes) -> "list[bytes]":
    return sorted({field.value for field in wire.fields(raw)})


def canonical(fields: Fields, data: bytes) -> bytes:
    """The one spelling of what protobuf's serialiser has written: fields and unknown fields in
    order, sets and keyed lists sorted."""
    out = b""
    for slot, raw in fields.slots(data).items():
        rule = fields.find(slot)
        if rule is not None and rule.policy == options_pb2.ADD_WINS:
            raw = b"".join(wire.bytes_field(slot, member) for member in members_of(raw))
        elif rule is not None and rule.element is not None:
            found = [canonical(rule.element, field.value) for field in wire.fields(raw)]
            by_key = sorted((key_of(rule.key, element), element) for element in found)
            raw = b"".join(wire.bytes_field(slot, element) for _, element in by_key)
        out += raw
    return out
