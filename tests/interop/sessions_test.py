"""Who is let in, and what is said on a stream."""

import time

import grpc
from zhibu.sync.v1 import answer_pb2, sync_pb2

from client import catalogue, connection, crypto
from client.connection import OtherServer
from client.device import Device
from client.server import BRANCH, DEPUTY, MIGRANT, SECRETARY
from situation import Meeting, Scenario, run


class Enrolling(Scenario):
    def test_a_code_works_once(self):
        ticket = self.server.code_for(MIGRANT)
        self.devices.append(Device(ticket))
        refusal = self.refused("BAD_CODE", lambda: Device(ticket))
        self.assertEqual(refusal.code, grpc.StatusCode.PERMISSION_DENIED)

    def test_a_server_with_another_certificate_is_not_spoken_to(self):
        word, address, fingerprint, code = self.server.code_for(MIGRANT).split("/")
        with self.assertRaises(OtherServer):
            Device("/".join([word, address, "0" * 64, code]))
        self.devices.append(Device("/".join([word, address, fingerprint, code])))  # not used up

    def test_who_stands_in_between_under_a_certificate_of_their_own_gets_no_session(self):
        device = self.device_of(MIGRANT)
        device.close()
        relay = connection.Stream(
            connection.channel_to(device.identity.address, device.identity.fingerprint))
        device.identity.fingerprint = "ab" * 32  # what the device is made to see
        hello = device.hello()
        relay.say(hello=hello)
        _, challenge = relay.hear("challenge")
        payload = crypto.proof_payload(challenge.nonce, device.identity.fingerprint, hello)
        relay.say(proof=sync_pb2.Proof(signature=device.identity.key.sign(payload)))
        self.refused("UNKNOWN_DEVICE", lambda: relay.hear("welcome"))

    def test_a_key_that_is_none_uses_up_no_code(self):
        ticket = self.server.code_for(MIGRANT)
        _, address, fingerprint, code = ticket.split("/")
        request = sync_pb2.EnrolRequest(code=code, public_key=b"k" * 32, device_name="x")
        channel = connection.channel_to(address, fingerprint)
        refusal = self.refused(
            "BAD_VALUE",
            lambda: connection.call(channel, "Enrol", request, sync_pb2.EnrolReply))
        self.assertEqual(refusal.code, grpc.StatusCode.INVALID_ARGUMENT)
        self.devices.append(Device(ticket))


class Sessions(Scenario):
    def test_the_first_sync_brings_all_and_the_next_nothing(self):
        device = self.device_of(SECRETARY)
        self.assertEqual(device.progress.passed, device.progress.to_pass)
        self.assertEqual(device.get("Organisation", self.branch_on(device)).name, BRANCH)
        self.assertGreater(len(device.all("Member")), 10)
        before = dict(device.held.confirmed)
        device.sync()
        self.assertEqual((device.progress.to_pass, device.progress.updates), (0, 1))
        self.assertEqual(device.held.confirmed, before)

    def test_what_another_does_comes_on_the_open_stream(self):
        one, other = self.device_of(SECRETARY), self.device_of(DEPUTY)
        meeting, change = self.meeting_on(one, place="礼堂")
        one.commit(change)
        one.push()
        while other.get("Meeting", meeting) is None:
            other.listen()
        self.assertEqual(other.get("Meeting", meeting).place, "礼堂")

    def test_what_one_edit_has_changed_comes_as_one_update_however_large(self):
        one, other = self.device_of(SECRETARY), self.device_of(DEPUTY)
        other.close()
        minutes, meetings = "长" * 300_000, []  # 900 kB each
        for _ in range(4):
            meeting, change = self.meeting_on(one, minutes=minutes)
            meetings.append(meeting)
            one.commit(change)
            one.sync()
        one.commit(*[one.update("Meeting", m, Meeting(place="礼堂")) for m in meetings])
        one.sync()
        other.sync()
        self.assertGreater(other.progress.parts, 0)
        self.assertEqual({other.get("Meeting", m).place for m in meetings}, {"礼堂"})
        self.assertEqual(other.progress.passed, other.progress.to_pass)

    def test_who_spares_bytes_has_the_same_for_fewer(self):
        one, other = self.device_of(SECRETARY), self.device_of(SECRETARY)
        one.thrifty = True
        meetings = []
        for _ in range(20):
            meeting, change = self.meeting_on(one, place="礼堂")
            meetings.append(meeting)
            one.commit(change)
        one.commit(one.update("Meeting", meetings[0], Meeting(place="祠堂")))
        one.sync()
        # One was changed since; it may have been told before that.
        self.assertIn(one.progress.as_made, (19, 20))
        other.sync()
        number = catalogue.TYPES["Meeting"].number
        for meeting in meetings:
            self.assertEqual(one.held.confirmed[number, meeting],
                             other.held.confirmed[number, meeting])
        heard = []
        for thrifty in (False, True):
            one.held.cursors, one.thrifty = {}, thrifty
            one.sync()
            heard.append(one.stream.bytes_heard)
        self.assertLess(heard[1], heard[0] / 2)
        self.assertEqual(one.all("Meeting"), other.all("Meeting"))

    def test_a_push_may_follow_the_proof_at_once(self):
        device = self.device_of(SECRETARY)
        meeting, change = self.meeting_on(device)
        device.commit(change)
        device.close()
        stream, hello = connection.Stream(device._channel()), device.hello()
        stream.say(hello=hello)
        _, challenge = stream.hear("challenge")
        payload = crypto.proof_payload(challenge.nonce, device.identity.fingerprint, hello)
        stream.say(proof=sync_pb2.Proof(signature=device.identity.key.sign(payload)))
        stream.say(push=sync_pb2.Push(edits=[device.numbered(q) for q in device.held.pending]))
        stream.hear("welcome")
        update = stream.hear("update")[1]
        while not update.answers:
            update = stream.hear("update")[1]
        self.assertEqual(update.answers[0].verdict, answer_pb2.MERGED)

    def test_what_is_no_frame_and_what_comes_out_of_turn_is_refused(self):
        device = self.device_of(MIGRANT)
        stream = connection.Stream(device._channel())
        stream.say(push=sync_pb2.Push())
        self.refused("PROTOCOL_ERROR", lambda: stream.hear("challenge"))
        device.stream.say(leave=sync_pb2.Leave())
        self.refused("PROTOCOL_ERROR", device.listen)

    def test_a_hello_in_another_spelling_is_refused(self):
        device = self.device_of(MIGRANT)
        for spelled in (device.hello() + b"\x08\x03",  # a field twice
                        device.hello() + b"\x30\x00",  # a default, written out and out of order
                        b"\x0a"):
            stream = connection.Stream(device._channel())
            stream.say(hello=spelled)
            self.refused("MALFORMED", lambda: stream.hear("challenge"))

    def test_another_protocol_is_refused_in_numbers(self):
        device = self.device_of(MIGRANT)
        stream = connection.Stream(device._channel())
        stream.say(hello=sync_pb2.Hello(protocol=99).SerializeToString())
        refusal = self.refused("UNSUPPORTED_VERSION", lambda: stream.hear("challenge"))
        self.assertEqual(refusal.detail, "99 / 3")

    def test_the_fifth_stream_of_a_device_ends_the_first_in_words(self):
        device = self.device_of(MIGRANT)
        device.close()
        channel, streams = device._channel(), []
        for _ in range(5):
            hello = device.hello()
            stream = connection.Stream(channel)
            stream.say(hello=hello)
            _, challenge = stream.hear("challenge")
            payload = crypto.proof_payload(challenge.nonce, device.identity.fingerprint, hello)
            stream.say(proof=sync_pb2.Proof(signature=device.identity.key.sign(payload)))
            stream.hear("welcome")
            stream.hear("update")
            streams.append(stream)
        self.refused("LIMIT_REACHED", lambda: streams[0].hear("update"))

    def test_a_wrong_clock_is_put_right_by_the_challenge(self):
        device = self.device_of(SECRETARY, clock_error_ms=-5 * 365 * 86_400_000)
        device.close()
        other = self.device_of(DEPUTY)
        meeting = self.shared_meeting(other, device, topic="钟")
        device.offset_ms = 0  # as after a start
        other.commit(other.update("Meeting", meeting, Meeting(place="甲")))
        time.sleep(1)  # the device's word on it is as late as the server's, on a busy machine
        device.commit(device.update("Meeting", meeting, Meeting(place="乙")))
        record = self.same_everywhere("Meeting", meeting, other, device, other)
        self.assertEqual(record.place, "乙")  # the later of the two


class OutOfService(Scenario):
    def out_of_service(self, *how):
        device = self.device_of(SECRETARY)
        device.close()
        meeting, change = self.meeting_on(device, topic="最后")
        device.commit(change)
        self.server.admin("revoke", "--device", str(device.identity.number), *how)
        return device, meeting

    def test_a_lost_device_hands_over_what_is_unsent_and_wipes_itself(self):
        device, meeting = self.out_of_service("--wipe")
        self.refused("DEVICE_WIPED", device.sync)
        self.assertIsNone(device.identity)
        self.assertEqual((device.held.confirmed, device.held.pending), ({}, []))
        reader = self.device_of(SECRETARY)
        self.assertIn(answer_pb2.OF_REVOKED_DEVICE,
                      [held.reason for held in reader.all("HeldEdit").values()])

    def test_a_revoked_device_lets_go_of_what_it_holds(self):
        device, _ = self.out_of_service()
        self.refused("DEVICE_REVOKED", device.sync)
        self.assertEqual([a.verdict for a in device.held.set_aside], ["HELD"])
        self.assertEqual((device.all("Member"), device.held.cursors), ({}, {}))


class Asking(Scenario):
    def test_a_superior_looks_at_what_lies_below_and_nobody_else_does(self):
        self.server.admin("grant", SECRETARY, "中共云溪镇委员会")
        superior, member = self.device_of(SECRETARY), self.device_of(MIGRANT)
        committee = superior.find("Organisation", name="中共云溪镇委员会")
        number = catalogue.TYPES["Member"].number
        below = superior.ask(organisation_id=committee, type=number, limit=7)
        self.assertGreater(len(below), len(superior.all("Member")))
        self.refused("ASK_NOT_BELOW", lambda: member.ask(organisation_id=committee, type=number))


if __name__ == "__main__":
    run()
