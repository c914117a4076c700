"""What is recorded, by every policy, alone and at the same time; and beside the other client."""

import time

from zhibu.records.v1 import conflict_pb2, development_pb2, dues_pb2, meeting_pb2, study_pb2
from zhibu.sync.v1 import trace_pb2

from client import catalogue, courier, crypto, wire
from client.device import Device
from client.server import DEPUTY, MIGRANT, SECRETARY
from situation import Meeting, Scenario, Without, run


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
            dues_pb2.DuesPayment(branch_id=self.branch_on(self.one), amount_fen=500,
                                 member_id=self.one.find("Member", name=SECRETARY),
                                 month="2026-07"))
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
                                      agenda=[Item(number=1, topic="一"),
                                              Item(number=2, topic="二")])
        record = self.change(meeting, Meeting(agenda=[Item(number=1, topic="壹")]))
        self.assertEqual([item.topic for item in record.agenda], ["壹", "二"])
        gone = Without.Removed(field=11, elements=[(2).to_bytes(8, "big")])
        emptied = Without.Nested(field=11, key=(1).to_bytes(8, "big"),
                                 without=Without(cleared=[2]))
        record = self.change(meeting, Meeting(agenda=[Item(number=1)]),
                             Without(removed=[gone], nested=[emptied]))
        self.assertEqual([item.topic for item in record.agenda], [""])

    def test_a_key_that_cannot_be_is_refused_and_one_that_is_not_there_is_none(self):
        meeting = self.shared_meeting(self.one, self.other)
        for width, refused in ((4, "MALFORMED"), (8, None)):
            gone = Without.Removed(field=11, elements=[(7).to_bytes(width, "big")])
            self.change(meeting, without=Without(removed=[gone]), refused=refused)
        self.one.held.set_aside.clear()

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
                                            stage=development_pb2.DevelopmentCase.APPLIED,
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
        time.sleep(0.05)  # the other is the later, beyond what clocks are measured to
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
        courier.deliver(courier.export(self.one))
        self.assertEqual(len(self.notes_about(meeting)), 1)


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


class BesideTheOther(Scenario):
    def test_what_this_client_writes_the_other_reads_and_the_other_way_round(self):
        home = str(self.server.folder / "phone")
        phone = ["device", "--home", home]
        self.server.run(*phone, "enrol", self.server.code_over_grpc(DEPUTY), "--name", "phone")
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
    run()
