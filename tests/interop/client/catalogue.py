"""The record types that the project declares (zhibu/records/v1), by name and by number."""

from zhibu.records.v1 import catalogue_pb2
from zhibu.schema.v1 import options_pb2

from . import schema


def _files(file, seen):
    if file.name not in seen:
        seen[file.name] = file
        for other in file.dependencies:
            _files(other, seen)
    return seen.values()


def _types():
    from google.protobuf import symbol_database

    symbols = symbol_database.Default()
    for file in _files(catalogue_pb2.DESCRIPTOR, {}):
        for descriptor in file.message_types_by_name.values():
            if descriptor.GetOptions().HasExtension(options_pb2.record):
                yield descriptor.name, schema.Type(symbols.GetPrototype(descriptor))


TYPES = dict(_types())
BY_NUMBER = {kind.number: kind for kind in TYPES.values()}
