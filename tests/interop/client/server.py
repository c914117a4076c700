"""A server of one's own: a process of the real program, over a folder that goes with it."""

import json
import pathlib
import shutil
import signal
import subprocess
import tempfile

ROSTER = pathlib.Path(__file__).resolve().parent.parent.parent / "data" / "township.csv"
BRANCH, SECRETARY, DEPUTY, MIGRANT = "云溪镇青石村党支部", "甲青石", "乙青石", "丙滨海"


class Server:
    def __init__(self, program: str):
        self.program, self.port, self.process, self.backups = program, 0, None, 0
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
             "--listen", f"127.0.0.1:{self.port}"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.port = json.loads(self.process.stdout.readline())["port"]

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
