"""What every situation begins with: a server of its own, devices, and what is expected of them."""

import sys
import unittest

from zhibu.records.v1 import meeting_pb2
from zhibu.sync.v1 import edit_pb2

from client import catalogue, connection, over_web
from client.connection import Refusal
from client.device import Device
from client.server import BRANCH, Server

Meeting, Without = meeting_pb2.Meeting, edit_pb2.Without


class Scenario(unittest.TestCase):
    maxDiff = None
    program = ""

    @classmethod
    def setUpClass(cls):
        cls.server = Server(Scenario.program)

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


def run():
    """Of a file of situations: FILE PATH_TO_ZHIBU [web]."""
    Scenario.program = sys.argv.pop(1)
    if sys.argv[1:2] == ["web"]:
        connection.WAY = over_web
        del sys.argv[1]
    unittest.main(module="__main__")
