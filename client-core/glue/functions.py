"""The functions of client-core/c/zhibu.h, read from the header itself: the one table from which the
glue of each language is made.

    for function in functions():
        print(function.name, [p.name for p in function.parameters])

What an app in another language sees of a function is its parameters without `error`, which becomes an
exception, and what it gives back. The header says in words, as `name`: Message, what bytes mean.
"""

import dataclasses
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
HEADER = ROOT / "client-core/c/zhibu.h"
API = ROOT / "proto/zhibu/api/v1/api.proto"

# Not called by an app as the others are: each language has its own way of owning bytes and of being
# called back.
BY_HAND = {"zhibu_free", "zhibu_abi_version", "zhibu_live", "zhibu_events_open"}

TEXT = {"type", "json", "text", "table"}  # UTF-8


@dataclasses.dataclass(frozen=True)
class Parameter:
    name: str
    # handle: a number that is given; in: bytes that are lent; out: bytes that are given back;
    # opened: a handle that is given back
    kind: str
    # Of zhibu.api.v1, or with its package; "text"; "bytes": what only the core understands, or what
    # is said in words
    message: str = ""


@dataclasses.dataclass(frozen=True)
class Function:
    name: str
    words: str  # the comment above it
    parameters: tuple  # without `error`

    @property
    def given(self):
        """What is handed in."""
        return tuple(p for p in self.parameters if p.kind in ("handle", "in"))

    @property
    def returned(self):
        """What comes back: none, one, or a handle and bytes."""
        return tuple(p for p in self.parameters if p.kind in ("out", "opened"))


def messages():
    return set(re.findall(r"^message (\w+)", API.read_text(encoding="utf-8"), re.M))


def functions():
    """Every function but those of BY_HAND, in the header's order."""
    known = messages()
    text = HEADER.read_text(encoding="utf-8")
    found = []
    pattern = r"(?:/\*(?P<words>(?:(?!\*/).)*?)\*/\s*)?ZHIBU_API \w+ (?P<name>zhibu_\w+)\((?P<parameters>[^;]*)\);"
    for match in re.finditer(pattern, text, re.S):
        if match["name"] in BY_HAND:
            continue
        words = re.sub(r"\s*\n\s*\*\s*", " ", match["words"] or "").strip()
        if words.startswith("----"):
            words = ""
        parameters = []
        for declared in match["parameters"].split(","):
            of_type, name = re.fullmatch(r"\s*(zhibu_\w+\*?)\s*(\w+)\s*", declared).groups()
            if name == "error":
                continue
            kind = {"zhibu_handle": "handle", "zhibu_in": "in", "zhibu_out*": "out", "zhibu_handle*": "opened"}[of_type]
            parameters.append(Parameter(name, kind, "" if "handle" in of_type else _message(name, words, known)))
        found.append(Function(match["name"], words, tuple(parameters)))
    return found


def _message(name, words, known):
    said = re.search(rf"`{name}`:? (?:an? )?((?:\w+\.)*\w+)", words)
    if said and (said[1] in known or said[1].startswith(("zhibu.", "google."))):
        return said[1]
    if name in TEXT:
        return "text"
    named = "".join(part.title() for part in name.split("_"))
    return named if named in known else "bytes"
