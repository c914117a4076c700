"""What a change says beside its values: what must be known to merge it; and where records lie."""

from zhibu.sync.v1 import edit_pb2

from . import schema, wire

Change, Without = edit_pb2.Change, edit_pb2.Without


def places_of(kind: schema.Type, body: bytes) -> set:
    """The scopes that a record lies in, by its own fields."""
    return {f.value for f in wire.fields(body) if getattr(kind.fields.find(f.number), "place", 0)}


def mark(fields: schema.Fields, marked, set_: bytes, without: Without):
    """Which of the fields spoken of must be known to be merged (Change.special, within)."""
    spoken = [f.number for f in wire.fields(set_)] + list(without.cleared)
    spoken += [r.field for r in without.removed] + [n.field for n in without.nested]
    rules = [fields.find(number) for number in sorted(set(spoken))]
    marked.special.extend(rule.number for rule in rules if rule is not None and rule.special)
    for rule in rules:
        if rule is None or rule.element is None:
            continue
        elements = [f.value for f in wire.fields(set_) if f.number == rule.number]
        nested = [n.without for n in without.nested if n.field == rule.number]
        within = Change.Within(field=rule.number)
        together = Without()
        for one in nested:
            together.MergeFrom(one)
        mark(rule.element, within, b"".join(elements), together)
        if within.special or within.within:
            marked.within.append(within)
