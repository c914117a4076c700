#!/usr/bin/env python3
"""A township with a real server, for a test in any language, which starts this as a child process.

    ZHIBU=build/dev/bin/zhibu tests/conformance/township.py

It says one line when the server is ready, and then answers each line with a line, all of them JSON:

    → {"address": "127.0.0.1:40000", "fingerprint": "…", "codes": {"secretary": "zhibu1/…", …}}
    ← {"admin": ["grant", "甲青石", "云溪镇青石村党支部"]}   zhibu admin; → {"out": what it says}
    ← {"server": "stop"}                               stop, kill or start; → {"out": null}
    ← {"deliver": "base64"}                            a parcel, by the command line; → {"out": {"receipts": "base64"}}
    → {"error": {…}}                                   instead, where the program refuses

It ends, and removes what it has made, when its input does.
"""

import base64
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

ROSTER = pathlib.Path(__file__).resolve().parents[1] / "data/township.csv"
BRANCH = "云溪镇青石村党支部"
PEOPLE = {"secretary": "甲青石", "deputy": "乙青石", "migrant": "丙滨海", "member": "青石党员04"}


class Refused(Exception):
    pass


class Township:
    def __init__(self, program, folder):
        self.program, self.folder, self.data = program, folder, folder / "server"
        self.port, self.process = 0, None
        self.admin(["init"])
        self.admin(["import", str(ROSTER)])
        self.admin(["grant", PEOPLE["secretary"], BRANCH])
        self.admin(["grant", PEOPLE["deputy"], BRANCH, "--office", "deputy"])
        self.server("start")

    def run(self, *arguments):
        done = subprocess.run([self.program, "--json", *arguments], stdout=subprocess.PIPE, check=False)
        said = json.loads(done.stdout or "null")
        if done.returncode != 0:
            raise Refused((said or {}).get("error", {}))
        return said

    def admin(self, arguments):
        return self.run("admin", "--data", str(self.data), *map(str, arguments))

    def server(self, what):
        if what == "start":
            self.process = subprocess.Popen(
                [self.program, "--json", "serve", "--data", str(self.data),
                 "--listen", f"127.0.0.1:{self.port}", "--log-level", "error"],
                stdout=subprocess.PIPE)
            self.port = json.loads(self.process.stdout.readline())["port"]
        elif self.process:
            self.process.send_signal(signal.SIGTERM if what == "stop" else signal.SIGKILL)
            self.process.communicate()
            self.process = None

    def deliver(self, parcel):
        file, receipts = self.folder / "parcel", self.folder / "receipts"
        file.write_bytes(base64.b64decode(parcel))
        self.run("device", "courier", "deliver", str(file), "--receipts", str(receipts))
        return {"receipts": base64.b64encode(receipts.read_bytes()).decode()}

    def ready(self):
        codes = {name: self.admin(["enrol", person])["code"] for name, person in PEOPLE.items()}
        _, address, fingerprint, _ = codes["secretary"].split("/")
        return {"address": address, "fingerprint": fingerprint, "codes": codes}

    def answer(self, line):
        (what, given), = json.loads(line).items()
        try:
            return {"out": {"admin": self.admin, "server": self.server, "deliver": self.deliver}[what](given)}
        except Refused as refused:
            return {"error": refused.args[0]}


def say(message):
    print(json.dumps(message, ensure_ascii=False), flush=True)


def main():
    program = os.environ.get("ZHIBU")
    if not program:
        sys.exit("township: ZHIBU names the program zhibu")
    for stream in (sys.stdin, sys.stdout):
        stream.reconfigure(encoding="utf-8")
    with tempfile.TemporaryDirectory(prefix="zhibu-township-") as folder:
        township = Township(program, pathlib.Path(folder))
        try:
            say(township.ready())
            for line in sys.stdin:
                say(township.answer(line))
        finally:
            township.server("kill")


if __name__ == "__main__":
    main()
