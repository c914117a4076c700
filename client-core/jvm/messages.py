"""The Java classes of the messages that go in and out, and of the records, for the lite runtime.

    python3 messages.py TO

Each message has a file of its own, as Java's people expect, which protoc does only where the .proto
says so: here it is said to a copy. What describes fields (labels, rights) is not in the lite
runtime, and is asked for by Zhibu.schema().
"""

import pathlib
import subprocess
import sys
import tempfile

PROTO = pathlib.Path(__file__).resolve().parents[2] / "proto"


def main(to):
    to.mkdir(parents=True, exist_ok=True)
    files = [file for of in ("api", "records", "rules", "schema", "sync") for file in sorted((PROTO / "zhibu" / of).rglob("*.proto"))]
    names = [str(file.relative_to(PROTO)) for file in files]
    with tempfile.TemporaryDirectory() as copies:
        for file, name in zip(files, names):
            copy = pathlib.Path(copies, name)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(file.read_text(encoding="utf-8") + "\noption java_multiple_files = true;\n", encoding="utf-8")
        subprocess.run(["protoc", f"-I{copies}", f"--java_out=lite:{to}", *names], check=True)
    (to / "zhibu/Options.java").unlink()


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
