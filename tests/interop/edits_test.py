"""What becomes of an edit: answered, repeated, of a copy, forgotten, carried by hand."""

from zhibu.records.v1 import held_pb2
from zhibu.sync.v1 import answer_pb2, sync_pb2

from client import courier, crypto
from client.server import BRANCH, DEPUTY, MIGRANT, SECRETARY
from situation import Meeting, Scenario, run


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


    def test_a_device_that_the_restored_server_has_forgotten_is_enrolled_again_and_offers_all(self):
        backup = self.server.back_up()
        device, member = self.device_of(SECRETARY), self.device_of(MIGRANT)
        meeting = self.shared_meeting(device, topic="登记之后")
        member.commit(self.meeting_on(member)[1])
        member.sync()
        self.assertEqual([a.reason for a in member.held.set_aside], ["NOT_ENTITLED"])
        unsent = device.update("Meeting", meeting, Meeting(place="礼堂"))
        for one in (device, member):
            one.close()
        self.server.restore(backup)
        device.commit(unsent)
        for one, owner in ((device, SECRETARY), (member, MIGRANT)):
            self.refused("UNKNOWN_DEVICE", one.sync)
            one.enrol(self.server.code_for(owner))
            one.sync()
            self.assertEqual(one.held.pending, [])
        self.assertEqual(device.held.set_aside, [])
        self.assertEqual(device.get("Meeting", meeting).place, "礼堂")
        self.assertEqual([a.reason for a in member.held.set_aside], ["NOT_ENTITLED"])

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
        parcel = courier.export(author)
        receipts = courier.deliver(parcel)
        reader.sync()
        self.assertEqual(reader.get("Meeting", meeting).place, "礼堂")
        receipt = courier.receive(author, receipts)
        self.assertEqual([a.verdict for a in receipt.answers], [answer_pb2.MERGED])
        self.assertEqual([q.delivered for q in author.held.pending], [True])
        self.assertEqual(author.get("Meeting", meeting).place, "礼堂")
        courier.deliver(parcel)  # twice: it counts once
        author.sync()
        self.assertEqual((author.held.pending, author.held.set_aside), ([], []))

    def test_a_letter_that_was_altered_is_not_taken(self):
        author = self.device_of(SECRETARY)
        author.close()
        author.commit(self.meeting_on(author)[1])
        parcel = bytearray(courier.export(author))
        parcel[40] ^= 1
        self.refused("COURIER_DAMAGED", lambda: courier.deliver(bytes(parcel)))


if __name__ == "__main__":
    run()
