"""The whole protocol, spoken by a client that was written from docs/wire.md and proto/ alone, with a
real server: scenarios_test.py PATH_TO_ZHIBU"""

import sys
import time
import unittest

import grpc
from zhibu.records.v1 import conflict_pb2, development_pb2, dues_pb2, held_pb2, meeting_pb2, study_pb2
from zhibu.sync.v1 import answer_pb2, edit_pb2, sync_pb2, trace_pb2

from client import catalogue, connection, crypto, wire
from client.connection import OtherServer, Refusal
from client.device import Device, deliver
from client.server import BRANCH, DEPUTY, MIGRANT, SECRETARY, Server

Meeting, Without = meeting_pb2.Meeting, edit_pb2.Without
PROGRAM = ""


class Scenario(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.server = Server(PROGRAM)

    @classmethod
    def tearDownClass(cls):
        cls.server.close()

    def setUp(self):
        self.devices = []

    def tearDown(self):
        for device in self.devices:
            device.close()

    def device_of(self, member, **more) -> Device:
        device = Device(self.server.code_for(member), **more)
        self.devices.append(device)
        return device.sync()

    def branch_on(self, device) -> bytes:
        return device.find("Organisation", name=BRANCH)

    def meeting_on(self, device, **fields) -> "tuple[bytes, object]":
        fields.setdefault("topic", "七月")
        return device.create(Meeting(branch_id=self.branch_on(device), **fields))

    def shared_meeting(self, *devices, **fields) -> bytes:
        """Made by the first, and seen by all."""
        meeting, change = self.meeting_on(devices[0], **fields)
        devices[0].commit(change)
        for device in devices:
            device.sync()
            device.close()
        return meeting

    def refused(self, reason, work):
        with self.assertRaises(Refusal) as caught:
            work()
        self.assertEqual(caught.exception.reason, reason)
        return caught.exception

    def same_everywhere(self, name, id_, *devices):
        for device in devices:
            device.sync()
        states = [device.state(catalogue.TYPES[name], id_) for device in devices]
        for state in states[1:]:
            self.assertEqual(state, states[0])
        return devices[0].get(name, id_)


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
        time.sleep(0.1)
        device.commit(device.update("Meeting", meeting, Meeting(place="乙")))
        record = self.same_everywhere("Meeting", meeting, other, device, other)
        self.assertEqual(record.place, "乙")  # the later of the two


class Records(Scenario):
    """What is created and changed; each time the server's record is what the device had shown."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.one = Device(cls.server.code_for(SECRETARY)).sync()
        cls.other = Device(cls.server.code_for(DEPUTY)).sync()
        cls.one.close()
        cls.other.close()

    @classmethod
    def tearDownClass(cls):
        cls.one.close()
        cls.other.close()
        super().tearDownClass()

    def change(self, meeting, set_=b"", without=None, refused=None, name="Meeting"):
        """One changes it; the other sees what one saw at once."""
        before = len(self.one.held.set_aside)
        self.one.commit(self.one.update(name, meeting, set_, without))
        shown = self.one.get(name, meeting)
        self.one.sync()
        said = [aside.reason for aside in self.one.held.set_aside[before:]]
        self.assertEqual(said, [refused] if refused else [])
        if not refused:
            self.assertEqual(self.one.get(name, meeting), shown)
        return self.same_everywhere(name, meeting, self.one, self.other)

    def test_a_meeting_and_who_attended_in_one_edit_with_an_id_that_follows(self):
        meeting, change = self.meeting_on(self.one)
        member = self.one.find("Member", name=DEPUTY)
        attendance, second = self.one.create(
            meeting_pb2.Attendance(meeting_id=meeting, member_id=member,
                                   branch_id=self.branch_on(self.one),
                                   state=meeting_pb2.Attendance.PRESENT))
        self.one.commit(change, second)
        self.one.sync()
        self.assertEqual(self.one.held.set_aside, [])
        self.other.sync()
        self.assertEqual(self.other.get("Attendance", attendance).meeting_id, meeting)

    def test_another_id_than_the_one_that_follows_is_returned(self):
        meeting = self.shared_meeting(self.one)
        _, change = self.one.create(
            meeting_pb2.Attendance(meeting_id=meeting, branch_id=self.branch_on(self.one),
                                   member_id=self.one.find("Member", name=DEPUTY)))
        change.id = self.one.new_id()
        self.one.commit(change)
        self.one.sync()
        self.assertEqual(self.one.held.set_aside.pop().reason, "WRONG_ID")

    def test_latest(self):
        meeting = self.shared_meeting(self.one, self.other, place="礼堂")
        self.assertEqual(self.change(meeting, Meeting(place="院子")).place, "院子")
        self.assertEqual(self.change(meeting, without=Without(cleared=[4])).place, "")

    def test_ask(self):
        meeting = self.shared_meeting(self.one, self.other)
        self.assertEqual(self.change(meeting, Meeting(expected=12)).expected, 12)

    def test_first(self):
        payment, change = self.one.create(
            dues_pb2.DuesPayment(branch_id=self.branch_on(self.one), amount_fen=500, month="2026-07",
                                 member_id=self.one.find("Member", name=SECRETARY)))
        self.one.commit(change)
        self.one.sync()
        self.assertEqual(self.one.held.set_aside, [])
        record = self.change(payment, dues_pb2.DuesPayment(amount_fen=600),
                             refused="ALREADY_WRITTEN", name="DuesPayment")
        self.assertEqual(record.amount_fen, 500)
        self.one.held.set_aside.clear()

    def test_add_wins(self):
        meeting = self.shared_meeting(self.one, self.other, guests=["甲", "乙"])
        removed = Without(removed=[Without.Removed(field=15, elements=["乙".encode()])])
        record = self.change(meeting, Meeting(guests=["丙"]), removed)
        self.assertEqual(set(record.guests), {"甲", "丙"})

    def test_by_key(self):
        Item = Meeting.AgendaItem
        meeting = self.shared_meeting(self.one, self.other,
                                      agenda=[Item(number=1, topic="一"), Item(number=2, topic="二")])
        record = self.change(meeting, Meeting(agenda=[Item(number=1, topic="壹")]))
        self.assertEqual([item.topic for item in record.agenda], ["壹", "二"])
        gone = Without.Removed(field=11, elements=[(2).to_bytes(8, "big")])
        emptied = Without.Nested(field=11, key=(1).to_bytes(8, "big"),
                                 without=Without(cleared=[2]))
        record = self.change(meeting, Meeting(agenda=[Item(number=1)]),
                             Without(removed=[gone], nested=[emptied]))
        self.assertEqual([item.topic for item in record.agenda], [""])

    def test_ask_within_a_keyed_list(self):
        Resolution = Meeting.Resolution
        meeting = self.shared_meeting(self.one, self.other)
        record = self.change(meeting, Meeting(resolutions=[Resolution(number=1, text="同意")]))
        self.assertEqual(record.resolutions[0].text, "同意")

    def test_forward(self):
        meeting = self.shared_meeting(self.one, self.other, state=Meeting.PLANNED)
        self.assertEqual(self.change(meeting, Meeting(state=Meeting.HELD)).state, Meeting.HELD)
        self.change(meeting, Meeting(state=Meeting.PLANNED), refused="STEP_NOT_ALLOWED")
        self.one.held.set_aside.clear()

    def test_min(self):
        meeting = self.shared_meeting(self.one, self.other)
        check_in, change = self.one.create(
            meeting_pb2.CheckIn(activity_id=meeting, branch_id=self.branch_on(self.one),
                                member_id=self.one.identity.person,
                                ways=[meeting_pb2.CheckIn.Way(how=meeting_pb2.CheckIn.BY_SELF)],
                                at={"seconds": 1_795_000_000}))
        self.one.commit(change)
        self.one.sync()
        self.assertEqual(self.one.held.set_aside, [])
        later = meeting_pb2.CheckIn(at={"seconds": 1_795_000_500})
        self.assertEqual(self.change(check_in, later, name="CheckIn").at.seconds, 1_795_000_000)
        earlier = meeting_pb2.CheckIn(at={"seconds": 1_794_999_000})
        self.assertEqual(self.change(check_in, earlier, name="CheckIn").at.seconds, 1_794_999_000)

    def test_max(self):
        case, change = self.one.create(
            development_pb2.DevelopmentCase(lead_branch_id=self.branch_on(self.one), attempt=2,
                                            member_id=self.one.find("Member", name=MIGRANT)))
        self.one.commit(change)
        self.one.sync()
        self.assertEqual(self.one.held.set_aside, [])
        for said, stands in ((1, 2), (3, 3)):
            record = self.change(case, development_pb2.DevelopmentCase(attempt=said),
                                 name="DevelopmentCase")
            self.assertEqual(record.attempt, stands)

    def test_sum(self):
        Part = study_pb2.StudyYear.Part
        year, change = self.one.create(
            study_pb2.StudyYear(branch_id=self.branch_on(self.one), year=2026,
                                member_id=self.one.find("Member", name=MIGRANT),
                                parts=[Part(way=study_pb2.StudySession.TOGETHER, minutes=90)]))
        self.one.commit(change)
        self.one.sync()
        self.assertEqual(self.one.held.set_aside, [])
        more = study_pb2.StudyYear(
            parts=[Part(way=study_pb2.StudySession.TOGETHER, minutes=30)])
        self.other.sync()
        for device in (self.one, self.other):
            device.commit(device.update("StudyYear", year, more))
            self.assertEqual(device.get("StudyYear", year).parts[0].minutes, 120)
        record = self.same_everywhere("StudyYear", year, self.one, self.other, self.one)
        self.assertEqual(record.parts[0].minutes, 150)

    def test_server(self):
        member = self.one.find("Member", name=DEPUTY)
        kind = catalogue.TYPES["Member"].message_class
        self.change(member, kind(registered_name="别人"), refused="SERVER_ONLY", name="Member")
        self.one.held.set_aside.clear()

    def test_a_field_that_nobody_knows_is_kept(self):
        meeting = self.shared_meeting(self.one, self.other)
        unknown = wire.number_field(19_999, wire.VARINT, 7)
        self.change(meeting, unknown)
        record = self.change(meeting, Meeting(place="礼堂"))
        self.assertTrue(record.SerializeToString().endswith(unknown))

    def test_a_record_is_deleted(self):
        meeting = self.shared_meeting(self.one, self.other)
        self.one.commit(self.one.delete("Meeting", meeting))
        self.assertIsNone(self.one.get("Meeting", meeting))
        self.assertIsNone(self.same_everywhere("Meeting", meeting, self.one, self.other))


class Together(Scenario):
    """Two who write at the same time, and both without having seen the other."""

    def setUp(self):
        super().setUp()
        self.one, self.other = self.device_of(SECRETARY), self.device_of(DEPUTY)

    def both(self, meeting, ones, others):
        self.one.commit(self.one.update("Meeting", meeting, ones))
        self.other.commit(self.other.update("Meeting", meeting, others))
        return self.same_everywhere("Meeting", meeting, self.one, self.other, self.one)

    def notes_about(self, meeting):
        self.one.sync()
        return [n for n in self.one.all("ConflictNote").values() if n.record_id == meeting]

    def test_the_later_write_stands_and_a_note_holds_both(self):
        meeting = self.shared_meeting(self.one, self.other, place="礼堂")
        record = self.both(meeting, Meeting(place="院子"), Meeting(place="学校"))
        self.assertEqual(record.place, "学校")
        note, = self.notes_about(meeting)
        self.assertEqual((note.kind, note.field, note.kept, note.lost),
                         (conflict_pb2.ConflictNote.OVERWRITTEN, "place", '"学校"', '"院子"'))

    def test_a_question_stays_open_on_both_until_somebody_settles_it(self):
        meeting = self.shared_meeting(self.one, self.other)
        self.both(meeting, Meeting(expected=10), Meeting(expected=20))
        for device in (self.one, self.other):
            trace = trace_pb2.Trace.FromString(
                device.state(catalogue.TYPES["Meeting"], meeting).trace)
            open_, = [f for f in trace.fields if f.field == 14]
            self.assertEqual([list(wire.fields(c.value))[0].value for c in open_.candidates],
                             [10, 20])
        self.other.commit(self.other.update("Meeting", meeting, Meeting(expected=15)))
        record = self.same_everywhere("Meeting", meeting, self.other, self.one)
        self.assertEqual(record.expected, 15)

    def test_who_was_present_by_both(self):
        meeting = self.shared_meeting(self.one, self.other)
        record = self.both(meeting, Meeting(guests=["甲"]), Meeting(guests=["乙"]))
        self.assertEqual(set(record.guests), {"甲", "乙"})

    def test_a_deletion_loses_to_a_change_that_it_had_not_seen(self):
        meeting = self.shared_meeting(self.one, self.other, place="礼堂")
        self.one.commit(self.one.delete("Meeting", meeting))
        self.other.commit(self.other.update("Meeting", meeting, Meeting(minutes="记录")))
        record = self.same_everywhere("Meeting", meeting, self.one, self.other, self.one)
        self.assertEqual((record.place, record.minutes), ("礼堂", "记录"))

    def test_a_base_beyond_what_was_sent_counts_as_that(self):
        meeting = self.shared_meeting(self.one, self.other, place="礼堂")
        self.other.commit(self.other.update("Meeting", meeting, Meeting(place="学校")))
        self.other.sync()
        change = self.one.update("Meeting", meeting, Meeting(place="院子"))
        change.base = (1 << 64) - 1
        self.one.commit(change)
        deliver(self.one.export())
        self.assertEqual(len(self.notes_about(meeting)), 1)


class Answers(Scenario):
    def test_what_its_author_may_not_write_comes_back_and_what_builds_on_it(self):
        device = self.device_of(MIGRANT)
        meeting, change = self.meeting_on(device)
        first = device.commit(change)
        second = device.commit(device.update("Meeting", meeting, Meeting(place="礼堂")))
        device.sync()
        self.assertEqual([(a.queued.number, a.verdict, a.reason) for a in device.held.set_aside],
                         [(first, "RETURNED", "NOT_ENTITLED"),
                          (second, "RETURNED", "BUILDS_ON_RETURNED")])
        self.assertEqual((device.held.pending, device.get("Meeting", meeting)), ([], None))

    def test_what_was_let_go_of_is_not_set_aside_again(self):
        device = self.device_of(MIGRANT)
        _, change = self.meeting_on(device)
        device.commit(change)
        device.held.pending[0].withdrawn = True
        device.sync()
        self.assertEqual((device.held.pending, device.held.set_aside), ([], []))

    def test_an_edit_that_cannot_be_read_comes_back_alone(self):
        device = self.device_of(SECRETARY)
        _, first = self.meeting_on(device)
        meeting, second = self.meeting_on(device)
        device.commit(first)
        device.commit(second)
        device.held.pending[0].edit = b"\x0a\x01\xff"
        device.held.pending[1].previous = crypto.link_to(b"\x0a\x01\xff")
        device.sync()
        self.assertEqual([a.reason for a in device.held.set_aside], ["MALFORMED"])
        self.assertIsNotNone(device.get("Meeting", meeting))

    def test_of_an_office_that_has_ended_is_held_and_taken_by_who_has_it(self):
        secretary, deputy = self.device_of(SECRETARY), self.device_of(DEPUTY)
        deputy.close()
        meeting, change = self.meeting_on(deputy, place="礼堂")
        deputy.commit(change)
        self.server.admin("revoke", DEPUTY, BRANCH, "--office", "deputy")
        try:
            deputy.sync()
            aside, = deputy.held.set_aside
            self.assertEqual((aside.verdict, aside.reason), ("HELD", "GRANT_ENDED"))
            secretary.sync()
            held, = [id_ for id_, h in secretary.all("HeldEdit").items()
                     if h.state == held_pb2.HeldEdit.WAITING]
            self.assertEqual(secretary.get("HeldEdit", held).edit, aside.queued.edit)
            secretary.commit(secretary.update("HeldEdit", held,
                                              held_pb2.HeldEdit(state=held_pb2.HeldEdit.TAKEN)))
            secretary.sync()
            self.assertEqual(secretary.held.set_aside, [])
            self.assertEqual(secretary.get("Meeting", meeting).place, "礼堂")
        finally:
            self.server.admin("grant", DEPUTY, BRANCH, "--office", "deputy")

    def test_a_push_that_is_repeated_is_answered_again_and_counts_once(self):
        device = self.device_of(SECRETARY)
        _, change = self.meeting_on(device)
        device.commit(change)
        push = sync_pb2.Push(edits=[device.numbered(q) for q in device.held.pending])
        device.sync()
        answers = []
        device.stream.say(push=push)
        while not answers:
            answers += device.stream.hear("update")[1].answers
        self.assertEqual([(a.number, a.verdict) for a in answers],
                         [(push.edits[0].number, answer_pb2.MERGED)])
        version = device.held.confirmed[change.type, change.id].version
        device.sync()
        self.assertEqual(device.held.confirmed[change.type, change.id].version, version)

    def test_an_answer_that_was_lost_comes_with_the_next_session(self):
        device = self.device_of(SECRETARY)
        meeting, change = self.meeting_on(device)
        device.commit(change)
        device.push()
        heard = device.stream.hear("update")[1]  # and then the process is killed
        while not heard.answers:
            heard = device.stream.hear("update")[1]
        device.close()
        device.sync()
        self.assertEqual((device.held.pending, device.held.set_aside), ([], []))
        self.assertIsNotNone(device.get("Meeting", meeting))


class Copies(Scenario):
    def test_a_copy_of_a_device_goes_on_under_a_number_of_its_own(self):
        device = self.device_of(SECRETARY)
        meeting = self.shared_meeting(device)
        copy = device.clone()
        self.devices.append(copy)
        device.commit(device.update("Meeting", meeting, Meeting(place="礼堂")))
        device.sync()
        device.close()
        other, change = self.meeting_on(copy, topic="副本")
        copy.commit(change)
        copy.commit(copy.update("Meeting", other, Meeting(place="学校")))
        copy.sync()
        self.assertNotEqual(copy.identity.number, device.identity.number)
        self.assertEqual((copy.held.pending, copy.held.set_aside), ([], []))
        self.assertEqual(copy.get("Meeting", other).place, "学校")
        self.assertEqual(copy.get("Meeting", meeting).place, "礼堂")
        device.sync()
        self.assertEqual(device.get("Meeting", other).place, "学校")

    def test_what_both_copies_send_counts_once(self):
        device = self.device_of(SECRETARY)
        meeting, change = self.meeting_on(device)
        device.commit(change)
        copy = device.clone()
        self.devices.append(copy)
        _, more = self.meeting_on(device, topic="原机")
        device.commit(more)
        device.sync()
        device.close()
        _, more = self.meeting_on(copy, topic="副本")
        copy.commit(more)
        copy.sync()
        self.assertEqual((copy.held.pending, copy.held.set_aside), ([], []))
        self.assertIsNotNone(copy.get("Meeting", meeting))

    def test_whose_links_are_wrong_is_told_what_was_expected(self):
        device = self.device_of(SECRETARY)
        device.commit(self.meeting_on(device)[1])
        device.sync()
        device.commit(self.meeting_on(device)[1])
        good = device.held.pending[0].previous
        device.held.pending[0].previous = 4711
        device.push()
        _, renumber = device.stream.hear("renumber")
        self.assertEqual(
            (renumber.expected_number, renumber.expected_previous, renumber.came_number,
             renumber.came_previous),
            (device.held.pending[0].number, good, device.held.pending[0].number, 4711))


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


class CheckingIn(Scenario):
    def test_a_code_that_was_scanned_is_verified(self):
        host, guest = self.device_of(SECRETARY), self.device_of(MIGRANT)
        meeting = self.shared_meeting(host, guest)
        now_ms = host.now_ms()
        code, _ = crypto.check_in_code(meeting, self.branch_on(host), host.identity.number, now_ms,
                                       host.identity.key)
        check_in, change = guest.create(
            meeting_pb2.CheckIn(activity_id=meeting, branch_id=self.branch_on(guest),
                                member_id=guest.identity.person, codes=[code.SerializeToString()],
                                ways=[meeting_pb2.CheckIn.Way(how=meeting_pb2.CheckIn.QR)],
                                at={"seconds": now_ms // 30_000 * 30}))
        guest.commit(change)
        guest.sync()
        self.assertEqual(guest.held.set_aside, [])
        self.assertEqual(guest.get("CheckIn", check_in).standing, meeting_pb2.CheckIn.VERIFIED)


class Asking(Scenario):
    def test_a_superior_looks_at_what_lies_below_and_nobody_else_does(self):
        self.server.admin("grant", SECRETARY, "中共云溪镇委员会")
        superior, member = self.device_of(SECRETARY), self.device_of(MIGRANT)
        committee = superior.find("Organisation", name="中共云溪镇委员会")
        number = catalogue.TYPES["Member"].number
        below = superior.ask(organisation_id=committee, type=number, limit=7)
        self.assertGreater(len(below), len(superior.all("Member")))
        self.refused("ASK_NOT_BELOW", lambda: member.ask(organisation_id=committee, type=number))


class Restored(Scenario):
    def test_a_server_from_a_backup_gets_again_what_it_has_forgotten(self):
        device, other = self.device_of(SECRETARY), self.device_of(DEPUTY)
        old = self.shared_meeting(device, other, topic="备份之前")
        backup = self.server.back_up()
        device.sync()
        new = self.shared_meeting(device, topic="备份之后")
        device.commit(device.update("Meeting", old, Meeting(place="礼堂")))
        device.sync()
        for one in (device, other):
            one.close()
        self.server.restore(backup)
        incarnation = device.identity.incarnation
        device.sync()
        self.assertNotEqual(device.identity.incarnation, incarnation)
        self.assertEqual((device.held.pending, device.held.set_aside), ([], []))
        for one in (device, other.sync()):
            self.assertEqual(one.get("Meeting", new).topic, "备份之后")
            self.assertEqual(one.get("Meeting", old).place, "礼堂")
            topics = [m.topic for m in one.all("Meeting").values()]
            self.assertEqual((topics.count("备份之前"), topics.count("备份之后")), (1, 1))


    def test_a_copy_that_the_restored_server_has_forgotten_goes_back_to_its_former_number(self):
        device = self.device_of(SECRETARY)
        self.shared_meeting(device)
        copy = device.clone()
        self.devices.append(copy)
        device.commit(self.meeting_on(device, topic="原机")[1])
        device.sync()
        device.close()
        backup = self.server.back_up()
        mine, change = self.meeting_on(copy, topic="副本")
        copy.commit(change)
        copy.sync()
        number = copy.identity.number
        self.assertNotEqual(number, device.identity.number)
        copy.close()
        self.server.restore(backup)
        copy.commit(copy.update("Meeting", mine, Meeting(place="礼堂")))
        copy.sync()
        self.assertEqual((copy.held.pending, copy.held.set_aside), ([], []))
        self.assertEqual(copy.get("Meeting", mine).place, "礼堂")
        topics = [m.topic for m in device.sync().all("Meeting").values()]
        self.assertEqual((topics.count("原机"), topics.count("副本")), (1, 1))


class ByHand(Scenario):
    def test_a_parcel_is_merged_as_if_its_author_had_come(self):
        author, reader = self.device_of(SECRETARY), self.device_of(DEPUTY)
        author.close()
        meeting, change = self.meeting_on(author, place="礼堂")
        author.commit(change)
        parcel = author.export()
        receipts = deliver(parcel)
        reader.sync()
        self.assertEqual(reader.get("Meeting", meeting).place, "礼堂")
        receipt = author.receive(receipts)
        self.assertEqual([a.verdict for a in receipt.answers], [answer_pb2.MERGED])
        self.assertEqual([q.delivered for q in author.held.pending], [True])
        self.assertEqual(author.get("Meeting", meeting).place, "礼堂")
        deliver(parcel)  # twice: it counts once
        author.sync()
        self.assertEqual((author.held.pending, author.held.set_aside), ([], []))

    def test_a_letter_that_was_altered_is_not_taken(self):
        author = self.device_of(SECRETARY)
        author.close()
        author.commit(self.meeting_on(author)[1])
        parcel = bytearray(author.export())
        parcel[40] ^= 1
        self.refused("COURIER_DAMAGED", lambda: deliver(bytes(parcel)))


class BesideTheOther(Scenario):
    def test_what_this_client_writes_the_other_reads_and_the_other_way_round(self):
        home = str(self.server.folder / "phone")
        phone = ["device", "--home", home]
        self.server.run(*phone, "enrol", self.server.code_for(DEPUTY), "--name", "phone")
        device = self.device_of(SECRETARY)
        meeting = self.shared_meeting(device, topic="两种语言", guests=["甲"])
        self.server.run(*phone, "sync")
        found = [m for m in self.server.run(*phone, "list", "Meeting")
                 if m["record"].get("topic") == "两种语言"]
        self.assertEqual(found[0]["record"]["guests"], ["甲"])
        self.server.run(*phone, "edit", "Meeting", found[0]["id"], '{"place": "学校"}')
        device.commit(device.update("Meeting", meeting, Meeting(guests=["乙"])))
        self.server.run(*phone, "sync")
        device.sync()
        record = device.get("Meeting", meeting)
        self.assertEqual((record.place, set(record.guests)), ("学校", {"甲", "乙"}))


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main()
