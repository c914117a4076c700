"""Every byte that is hashed, linked, signed, sealed or derived (docs/wire.md, "Bytes")."""

import base64
import hashlib

import nacl.bindings as sodium
from zhibu.sync.v1 import check_in_pb2, courier_pb2, pass_pb2

from . import schema, wire


def digest(data: bytes, size: int = 32) -> bytes:
    return hashlib.blake2b(data, digest_size=size).digest()


def link_to(edit: bytes) -> int:
    return int.from_bytes(digest(edit)[:8], "big")


def stamp_at(ms: int, counter: int = 0) -> int:
    return ms << 16 | counter


def fingerprint_of(certificate_der: bytes) -> str:
    return hashlib.sha256(certificate_der).hexdigest()


def derive_id(kind: schema.Type, record: bytes) -> bytes:
    hashed = wire.varint(kind.number)
    first = b""
    for number in kind.id_from:
        descriptor = kind.fields.find(number).descriptor
        field = schema.last_of(descriptor, record)
        hashed += wire.bytes_field(number, field.whole)
        if not first and field.type == wire.BYTES and len(field.value) == 16:
            first = field.value
    return first[:6] + digest(hashed, 16)[6:]


class Key:
    """An Ed25519 pair."""

    def __init__(self, seed: bytes):
        self.public, self.secret = sodium.crypto_sign_seed_keypair(seed)

    def sign(self, data: bytes) -> bytes:
        return sodium.crypto_sign(data, self.secret)[: sodium.crypto_sign_BYTES]


def is_signed(public: bytes, data: bytes, signature: bytes) -> bool:
    try:
        return sodium.crypto_sign_open(signature + data, public) == data
    except Exception:  # the library's own, of several kinds
        return False


def proof_payload(nonce: bytes, fingerprint: str, hello: bytes) -> bytes:
    return b"zhibu session v2" + nonce + bytes.fromhex(fingerprint) + hello


def enrolment_payload(device_public: bytes, fingerprint: str) -> bytes:
    return b"zhibu enrolment v1" + device_public + bytes.fromhex(fingerprint)


def letter_payload(cargo: str, reader_public: bytes, content: bytes) -> bytes:
    return f"zhibu {cargo} v1".encode() + reader_public + content


def seal(cargo: str, content: bytes, writer: Key, reader_public: bytes) -> bytes:
    letter = courier_pb2.Letter(
        content=content, signature=writer.sign(letter_payload(cargo, reader_public, content)))
    box_public = sodium.crypto_sign_ed25519_pk_to_curve25519(reader_public)
    return sodium.crypto_box_seal(letter.SerializeToString(), box_public)


def unseal(cargo: str, sealed: bytes, reader: Key, writer_public: bytes) -> bytes:
    box_secret = sodium.crypto_sign_ed25519_sk_to_curve25519(reader.secret)
    box_public = sodium.crypto_sign_ed25519_pk_to_curve25519(reader.public)
    letter = courier_pb2.Letter.FromString(
        sodium.crypto_box_seal_open(sealed, box_public, box_secret))
    payload = letter_payload(cargo, reader.public, letter.content)
    assert is_signed(writer_public, payload, letter.signature)
    return letter.content


def _code_text(prefix: str, code) -> str:
    return prefix + base64.urlsafe_b64encode(code.SerializeToString()).decode().rstrip("=")


def check_in_code(activity: bytes, branch: bytes, device: int, now_ms: int, key: Key):
    code = check_in_pb2.CheckInCode(
        activity_id=activity, branch_id=branch, device=device, step=now_ms // 30_000)
    code.signature = key.sign(b"zhibu check-in v1" + code.SerializeToString())
    return code, _code_text("ZB1:", code)


def check_pass(token: "pass_pb2.PassToken", server_public: bytes) -> "tuple[bool, str]":
    """Whether the server has signed it, and its text."""
    text = _code_text("ZP1:", token)
    fields = pass_pb2.PassToken()
    fields.CopyFrom(token)
    fields.ClearField("signature")
    named = token.server == int.from_bytes(server_public[:8], "big")
    payload = b"zhibu pass v1" + fields.SerializeToString()
    return named and is_signed(server_public, payload, token.signature), text
