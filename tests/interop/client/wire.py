"""Protobuf's wire format, field by field: what docs/wire.md calls one spelling.

A record is merged and hashed as bytes, so a client that keeps what it does not know needs these
bytes and not only messages.
"""

from typing import Iterator, NamedTuple

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


class Field(NamedTuple):
    number: int
    type: int
    value: "int | bytes"
    whole: bytes  # tag and all


def varint(n: int) -> bytes:
    n &= (1 << 64) - 1
    out = bytearray()
    while n > 0x7F:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    out.append(n)
    return bytes(out)


def read_varint(data: bytes, at: int) -> "tuple[int, int]":
    n = shift = 0
    while True:
        byte = data[at]
        at += 1
        n |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return n, at


def fields(data: bytes) -> Iterator[Field]:
    at = 0
    while at < len(data):
        begin = at
        tag, at = read_varint(data, at)
        number, kind = tag >> 3, tag & 7
        if kind == VARINT:
            value, at = read_varint(data, at)
        elif kind == BYTES:
            size, at = read_varint(data, at)
            value, at = data[at : at + size], at + size
        else:
            size = 8 if kind == FIXED64 else 4
            value, at = int.from_bytes(data[at : at + size], "little"), at + size
        yield Field(number, kind, value, data[begin:at])


def bytes_field(number: int, payload: bytes) -> bytes:
    return varint(number << 3 | BYTES) + varint(len(payload)) + payload


def number_field(number: int, kind: int, value: int) -> bytes:
    tag = varint(number << 3 | kind)
    if kind == VARINT:
        return tag + varint(value)
    return tag + value.to_bytes(8 if kind == FIXED64 else 4, "little")


def zigzag(n: int) -> int:
    return n << 1 if n >= 0 else (-n << 1) - 1


def unzigzag(n: int) -> int:
    return n >> 1 ^ -(n & 1)
