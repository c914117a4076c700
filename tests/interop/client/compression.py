"""Frames that travel compressed: zstd, by the dictionary that lies beside the protocol."""

import pathlib

import zstandard

_ROOT = pathlib.Path(__file__).resolve().parents[3]
_DICTIONARY = zstandard.ZstdCompressionDict(
    (_ROOT / "proto/zhibu/sync/v1/frames.zdict").read_bytes())
NUMBER = _DICTIONARY.dict_id()
BYTES_MAX = 8 << 20


def pack(frame: bytes) -> bytes:
    return zstandard.ZstdCompressor(
        level=1, dict_data=_DICTIONARY, write_dict_id=False).compress(frame)


def is_fair(frame: bytes, packed: bytes) -> bool:
    """Whether the server takes so much in so little."""
    return len(frame) <= max(64 << 10, 32 * len(packed))


def unpack(compressed: bytes) -> bytes:
    assert 0 <= zstandard.frame_content_size(compressed) <= BYTES_MAX
    return zstandard.ZstdDecompressor(dict_data=_DICTIONARY).decompress(compressed)
