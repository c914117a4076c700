#!/usr/bin/env python3
"""What the package has for each function of zhibu.h, made from the one table of them.

    client-core/js/glue.py C_FILE TYPESCRIPT_FILE

In C, how it is called; in TypeScript, its type, and for what is asked of a store a method with messages
for bytes.
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "glue"))
from functions import functions  # noqa: E402

# Methods of a store that do more than call: store.ts has them.
BY_HAND = {"zhibu_open", "zhibu_close", "zhibu_suspend", "zhibu_resume", "zhibu_rekey", "zhibu_save",
           "zhibu_to_json", "zhibu_from_json", "zhibu_certificate_is"}


def camel(name):
    first, *rest = name.removeprefix("zhibu_").split("_")
    return first + "".join(part.title() for part in rest)


def bool_of(value):
    return "true" if value else "false"


def in_c(found):
    yield '#include "client-core/js/native/glue.h"\n'
    for function in found:
        given, ins = [], 0
        for parameter in function.parameters:
            if parameter.kind == "in":
                given.append(f"c->in[{ins}]")
                ins += 1
            else:
                given.append({"handle": "c->handle", "opened": "&c->opened", "out": "&c->out"}[parameter.kind])
        yield f"static int32_t {camel(function.name)}_(Call* c) {{ return {function.name}({', '.join([*given, '&c->error'])}); }}"
    yield "\nconst Function kFunctions[] = {"
    for function in found:
        kinds = [parameter.kind for parameter in function.parameters]
        yield (f'  {{"{function.name}", {camel(function.name)}_, {bool_of("handle" in kinds)}, {kinds.count("in")}, '
               f'{bool_of("opened" in kinds)}, {bool_of("out" in kinds)}}},')
    yield "};\nconst size_t kFunctionCount = sizeof kFunctions / sizeof *kFunctions;"


def native_type(function):
    given = ", ".join(f"{p.name}: {'bigint' if p.kind == 'handle' else 'Uint8Array'}" for p in function.given)
    kinds = [{"opened": "bigint", "out": "Uint8Array"}[p.kind] for p in function.returned]
    gives = "void" if not kinds else kinds[0] if len(kinds) == 1 else f"[{', '.join(kinds)}]"
    return f"  {function.name}({given}): Promise<{gives}>;"


class Types:
    """What a message is called in TypeScript, and which are to be imported."""

    FROM = {"zhibu.sync.v1": "sync", "google.protobuf": "wkt"}

    def schema(self, message):
        package, _, name = message.rpartition(".")
        return f"{self.FROM.get(package, 'api')}.{name}Schema"


def method(function, types):
    takes = [p for p in function.given if p.kind == "in"]
    gives = function.returned
    given = pack = ""
    if takes:
        (body,) = takes
        name = body.name
        if body.message == "text":
            given, pack = f"{name}: string", f"utf8.encode({name})"
        elif body.message == "bytes":
            given, pack = f"{name}: Uint8Array", name
        else:
            schema = types.schema(body.message)
            given, pack = f"{name}: Init<typeof {schema}>", f"pack({schema}, {name})"
    answer = f"await this.call('{function.name}', {pack or 'nothing'})"
    if not gives:
        result, body = "void", f"{answer};"
    elif gives[0].message == "bytes":
        result, body = "Uint8Array", f"return {answer};"
    else:
        schema = types.schema(gives[0].message)
        result, body = f"MessageShape<typeof {schema}>", f"return fromBinary({schema}, {answer});"
    if function.words:
        yield f"  /** {function.words} */"
    yield f"  async {camel(function.name)}({given}): Promise<{result}> {{ {body} }}"


def of_store(function):
    handles = [p.name for p in function.given if p.kind == "handle"]
    opened = any(p.kind == "opened" for p in function.parameters)
    return function.name not in BY_HAND and handles in ([], ["store"]) and not opened


def in_typescript(found):
    yield """// Made by glue.py from client-core/c/zhibu.h.
import {create, fromBinary, toBinary, type DescMessage, type MessageInitShape, type MessageShape} from '@bufbuild/protobuf';
import * as wkt from '@bufbuild/protobuf/wkt';
import type {Core} from '../core.js';
import * as api from './zhibu/api/v1/api_pb.js';

type Init<D extends DescMessage> = MessageInitShape<D>;
const nothing = new Uint8Array();
const utf8 = new TextEncoder();
const pack = <D extends DescMessage>(schema: D, body: Init<D>): Uint8Array => toBinary(schema, create(schema, body));

// As the addon has them.
export interface Native {
  zhibu_live(): bigint;
  zhibu_abi_version(): number;
  zhibu_events_open(store: bigint, bell: () => void): Promise<bigint>;"""
    yield from map(native_type, found)
    yield "}\n"
    yield "// What a store can be asked by name, and whether that takes the store."
    yield "export const asked: ReadonlyMap<string, boolean> = new Map(["
    methods = list(filter(of_store, found))
    for function in methods:
        yield f"  ['{function.name}', {bool_of(any(p.kind == 'handle' for p in function.given))}],"
    yield "]);\n"
    yield "// With messages for bytes, whatever moves them: a store in this process, a page's bridge."
    yield "export abstract class Calls implements Core<api.Events> {"
    yield "  abstract call(name: string, body: Uint8Array): Promise<Uint8Array>;"
    yield "  abstract follow(listener: (events: api.Events) => void): void;"
    types = Types()
    for function in methods:
        yield ""
        yield from method(function, types)
    yield "}"


def main():
    found = functions()
    for file, lines in zip(sys.argv[1:], (in_c(found), in_typescript(found))):
        pathlib.Path(file).write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
