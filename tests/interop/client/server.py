"""A server of one's own: a process of the real program, over a folder that goes with it."""

import json
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile

from . import connection, over_web

ROSTER = pathlib.Path(__file__).resolve().parent.parent.parent / "data" / "township.csv"
BRANCH, SECRETARY, DEPUTY, MIGRANT = "云溪镇青石村党支部", "甲青石", "乙青石", "丙滨海"


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Server:
    def __init__(self, program: str):
        self.program, self.process, self.backups = program, None, 0
        self.port, self.web_port = 0, _free_port()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="zhibu-interop-"))
        self.data = self.folder / "server"
        self.admin("init")
        self.admin("import", str(ROSTER))
        self.admin("grant", SECRETARY, BRANCH)
        self.admin("grant", DEPUTY, BRANCH, "--office", "deputy")
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [self.program, "--json", "serve", "--data", str(self.data),
             "--listen", f"127.0.0.1:{self.port}", "--web", f"127.0.0.1:{self.web_port}",
             *self._address()],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.port = json.loads(self.process.stdout.readline())["port"]

    def _address(self):
        """Codes have one address: that of the way by which devices come."""
        return ("--address", f"127.0.0.1:{self.web_port}") if connection.WAY is over_web else ()

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()

    def close(self):
        self.kill()
        shutil.rmtree(self.folder)

    def run(self, *arguments: str):
        done = subprocess.run([self.program, "--json", *arguments], stdout=subprocess.PIPE,
                              check=True, timeout=60)
        return json.loads(done.stdout) if done.stdout else None

    def admin(self, *arguments: str):
        return self.run("admin", "--data", str(self.data), *arguments)

    def code_for(self, member: str) -> str:
        return self.admin("enrol", member)["code"]

    def code_over_grpc(self, member: str) -> str:
        """For a device that comes no other way."""
        return self.code_for(member).replace(f":{self.web_port}/", f":{self.port}/")

    def back_up(self) -> pathlib.Path:
        self.backups += 1
        copy = self.folder / f"copy-{self.backups}.db"
        self.admin("backup", str(copy))
        return copy

    def restore(self, copy: pathlib.Path):
        self.kill()
        for name in ("zhibu.db", "zhibu.db-wal", "zhibu.db-shm"):
            (self.data / name).unlink(missing_ok=True)
        shutil.copy(copy, self.data / "zhibu.db")
        self.start()
