"""The test vectors of tests/data, worked out by somebody else than those who made them."""

import json
import pathlib
import unittest

from policies_pb2 import Sampler
from zhibu.sync.v1 import check_in_pb2, edit_pb2, pass_pb2, sync_pb2, trace_pb2

from client import catalogue, compression, crypto, merge, schema, wire

DATA = pathlib.Path(__file__).resolve().parent.parent / "data"


def vectors(name):
    return json.loads((DATA / name).read_text())


def key_of(shown):
    key = crypto.Key(bytes.fromhex(shown["seed"]))
    assert key.public.hex() == shown["public"]
    return key


class Bytes(unittest.TestCase):
    """bytes.json"""

    maxDiff = None
    all = vectors("bytes.json")

    def test_tickets(self):
        for case in self.all["tickets"]:
            parts = case["line"].split("/")
            self.assertEqual(parts, ["zhibu1", case["address"], case["fingerprint"], case["code"]])

    def test_fingerprints(self):
        for case in self.all["fingerprints"]:
            found = crypto.fingerprint_of(bytes.fromhex(case["certificate"]))
            self.assertEqual(found, case["fingerprint"])

    def test_proofs(self):
        for case in self.all["proofs"]:
            hello = bytes.fromhex(case["hello"])
            payload = crypto.proof_payload(bytes.fromhex(case["nonce"]), case["fingerprint"], hello)
            self.assertEqual(key_of(case["device"]).sign(payload).hex(), case["signature"])
            self.assertEqual(sync_pb2.Hello.FromString(hello).SerializeToString(), hello)

    def test_enrolments(self):
        for case in self.all["enrolments"]:
            device = key_of(case["device"]).public
            payload = crypto.enrolment_payload(device, case["fingerprint"])
            self.assertEqual(key_of(case["server"]).sign(payload).hex(), case["signature"])

    def test_links(self):
        previous = 0
        for case in self.all["links"]:
            edit = bytes.fromhex(case["edit"])
            self.assertEqual(int(case["previous"], 16), previous)
            self.assertEqual(crypto.digest(edit).hex(), case["digest"])
            previous = crypto.link_to(edit)
            self.assertEqual(f"{previous:016x}", case["link"])

    def test_compressed_frames(self):
        for case in self.all["compressed_frames"]:
            self.assertEqual(compression.NUMBER, case["dictionary"])
            frame = bytes.fromhex(case["frame"])
            self.assertEqual(compression.unpack(bytes.fromhex(case["compressed"])), frame)
            self.assertEqual(compression.unpack(compression.pack(frame)), frame)

    def test_stamps(self):
        for case in self.all["stamps"]:
            stamp = crypto.stamp_at(case["ms"], case["counter"])
            self.assertEqual(f"{stamp:016x}", case["stamp"])

    def test_ids(self):
        derived = {t.number for t in catalogue.TYPES.values() if t.id_from}
        self.assertEqual({case["type"] for case in self.all["ids"]}, derived)
        for case in self.all["ids"]:
            kind = catalogue.TYPES[case["name"]]
            self.assertEqual((kind.number, kind.id_from), (case["type"], case["id_from"]))
            found = crypto.derive_id(kind, bytes.fromhex(case["record"]))
            self.assertEqual(found.hex(), case["id"], case["name"])

    def test_keys(self):
        for case in self.all["keys"]:
            found = list(wire.fields(bytes.fromhex(case["element"])))
            if case["kind"] in ("string", "bytes"):
                key = found[0].value if found else b""
            else:
                key = (found[0].value if found else 0).to_bytes(8, "big")
            self.assertEqual(key.hex(), case["key"], case)

    def test_letters(self):
        for case in self.all["letters"]:
            writer, reader = key_of(case["writer"]), key_of(case["reader"])
            content = bytes.fromhex(case["content"])
            payload = crypto.letter_payload(case["cargo"], reader.public, content)
            self.assertEqual(writer.sign(payload).hex(), case["signature"])
            sealed = bytes.fromhex(case["sealed"])
            self.assertEqual(crypto.unseal(case["cargo"], sealed, reader, writer.public), content)
            own = crypto.seal(case["cargo"], content, writer, reader.public)
            self.assertEqual(crypto.unseal(case["cargo"], own, reader, writer.public), content)

    def test_check_in_codes(self):
        for case in self.all["check_in_codes"]:
            told = check_in_pb2.CheckInCode.FromString(bytes.fromhex(case["code"]))
            code, text = crypto.check_in_code(told.activity_id, told.branch_id, told.device,
                                              case["shown_ms"], key_of(case["device"]))
            self.assertEqual((code, text), (told, case["text"]))

    def test_passes(self):
        for case in self.all["passes"]:
            token = pass_pb2.PassToken.FromString(bytes.fromhex(case["pass"]))
            server = key_of(case["server"]).public
            self.assertEqual(crypto.check_pass(token, server), (True, case["text"]))
            token.name = "somebody else"
            self.assertFalse(crypto.check_pass(token, server)[0])


class Spelling(unittest.TestCase):
    """spelling.json: what this client writes is spelled as it must be."""

    def test_good_edits_are_what_this_client_writes(self):
        kind = schema.Type(Sampler)
        good = [case for case in vectors("spelling.json") if case["reason"] == "NO_REASON"]
        self.assertGreater(len(good), 12)
        for case in good:
            data = bytes.fromhex(case["edit"])
            edit = edit_pb2.Edit.FromString(data)
            self.assertEqual(edit.SerializeToString(), data, case["what"])
            for change in edit.changes:
                written = Sampler.FromString(change.set).SerializeToString()
                # What is no more than protobuf says has no other spelling; a MIN may say zero.
                if change.set != bytes.fromhex("4000"):
                    self.assertEqual(schema.canonical(kind.fields, written), change.set,
                                     case["what"])


class Merge(unittest.TestCase):
    """merge.json"""

    maxDiff = None

    def test_every_story(self):
        stories = vectors("merge.json")
        self.assertGreater(len(stories), 70)
        for story in stories:
            with self.subTest(story["name"]):
                self.tell(story)

    def tell(self, story):
        kind, state = schema.Type(Sampler), merge.State()
        for step in story["steps"]:
            origin = merge.Origin(step["device"], step["version"], step["stamp"])
            if "latest" in step:
                origin.latest = step["latest"]
            if "base_max" in step:
                origin.base_max = step["base_max"]
            origin.made_later = frozenset(step.get("made_later", []))
            change = edit_pb2.Change.FromString(bytes.fromhex(step["change"]))
            outcome, refused = merge.Outcome(), ("NO_REASON", "")
            try:
                state = merge.apply(kind, change, origin, state, outcome)
            except merge.Refused as error:
                refused = (error.reason, error.detail)
            self.assertEqual(refused, (step["reason"], step["detail"]))
            self.assertEqual(self.shown(state), self.readable(step["state"]))
            self.assertEqual([self.conflict(*c) for c in outcome.conflicts], step["conflicts"])
            self.assertEqual([[path, list(touch)] for path, touch in outcome.settled],
                             step["settled"])

    @staticmethod
    def shown(state):
        return {
            "exists": state.exists,
            "touch": list(state.touch) if state.exists else None,
            "deletion": list(state.deletion) if state.deletion else None,
            "body": str(Sampler.FromString(state.body)),
            "trace": str(trace_pb2.Trace.FromString(state.trace)),
            "bytes": (state.body.hex(), state.trace.hex()),
        }

    @staticmethod
    def readable(told):
        body, trace = bytes.fromhex(told["body"]), bytes.fromhex(told["trace"])
        return dict(told, body=str(Sampler.FromString(body)),
                    trace=str(trace_pb2.Trace.FromString(trace)),
                    bytes=(told["body"], told["trace"]))

    @staticmethod
    def conflict(kind, path, kept, lost, kept_touch, lost_touch):
        return {
            "kind": kind, "path": path, "kept": kept.hex(), "lost": lost.hex(),
            "kept_touch": list(kept_touch), "lost_touch": list(lost_touch),
        }


if __name__ == "__main__":
    unittest.main()
