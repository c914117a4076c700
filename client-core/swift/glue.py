#!/usr/bin/env python3
"""The functions of zhibu.h in Swift, made from the one table of them.

    client-core/swift/glue.py SWIFT_FILE

Raw has each as it is, throwing; Store has those that a store is asked, off the main thread.
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "glue"))
from functions import functions  # noqa: E402

# Store.swift has them.
BY_HAND = {"zhibu_close", "zhibu_suspend", "zhibu_resume", "zhibu_rekey", "zhibu_save"}
RESERVED = {"try"}

# How it is called, by what comes back, and what its closure is given.
WAYS = {(): ("doing", "error", ""), ("out",): ("giving", "out, error", " -> Data"),
        ("opened",): ("opening", "handle, error", " -> zhibu_handle"),
        ("opened", "out"): ("openingAndGiving", "handle, out, error", " -> (zhibu_handle, Data)")}


def camel(name):
    first, *rest = name.removeprefix("zhibu_").split("_")
    joined = first + "".join(part.title() for part in rest)
    return f"`{joined}`" if joined in RESERVED else joined


def raw(function):
    way, closure, gives = WAYS[tuple(p.kind for p in function.returned)]
    given = ", ".join(f"_ {p.name}: {'zhibu_handle' if p.kind == 'handle' else 'Data'}" for p in function.given)
    passed = [{"in": f"{p.name}In", "handle": p.name, "out": "out", "opened": "handle"}[p.kind] for p in function.parameters]
    call = f"{way} {{ {closure} in {function.name}({', '.join([*passed, 'error'])}) }}"
    for parameter in reversed([p for p in function.given if p.kind == "in"]):
        call = f"{parameter.name}.lent {{ {parameter.name}In in try {call} }}"
    return f"  static func {camel(function.name)}({given}) throws{gives} {{\n    try {call}\n  }}"


def method(function):
    takes = [p for p in function.given if p.kind == "in"]
    given = ", ".join(f"{p.name}: {'String' if p.message == 'text' else 'Data'}" for p in takes)
    passed = ["self.handle", *(f"Data({p.name}.utf8)" if p.message == "text" else p.name for p in takes)]
    gives = WAYS[tuple(p.kind for p in function.returned)][2]
    words = f"  /// {function.words}\n" if function.words else ""
    return (f"{words}  public func {camel(function.name)}({given}) async throws{gives} {{\n"
            f"    try await offMain {{ try Raw.{camel(function.name)}({', '.join(passed)}) }}\n  }}")


def of_store(function):
    handles = [p.name for p in function.given if p.kind == "handle"]
    opens = any(p.kind == "opened" for p in function.parameters)
    return handles == ["store"] and not opens and function.name not in BY_HAND


def lines(found):
    yield "// Made by glue.py from client-core/c/zhibu.h.\nimport CZhibu\nimport Foundation\n\nenum Raw {"
    yield from map(raw, found)
    yield "}\n\nextension Store {"
    yield from map(method, filter(of_store, found))
    yield "}"


if __name__ == "__main__":
    pathlib.Path(sys.argv[1]).write_text("\n".join(lines(functions())) + "\n", encoding="utf-8")
