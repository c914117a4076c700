"""What stands between Java and the C interface, made from the one table of its functions.

    python3 glue.py TO

writes TO/native/functions.c (the native methods, for JNI), TO/java/zhibu/client/Native.java (their
declarations) and TO/java/zhibu/client/StoreCalls.java (what is asked of a store, with its messages).
"""

import pathlib
import re
import sys
import textwrap

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "glue"))
from functions import functions  # noqa: E402

# Words of Java that are no names there.
NAMES = {"new": "newRecord", "try": "tryCommit"}
# Opened, put away or called by hand: Store.java, Watch.java, Session.java and the like.
NOT_A_STORES = {"zhibu_close", "zhibu_rekey"}
SIGNATURES = {"handle": "J", "in": "[B"}
JNI = {"handle": "jlong", "in": "jbyteArray"}
JAVA = {"handle": "long", "in": "byte[]"}


def java_name(function):
    return java_name_of(function.name)


def java_name_of(name):
    name = name.removeprefix("zhibu_")
    return NAMES.get(name) or re.sub(r"_(\w)", lambda letter: letter[1].upper(), name)


def opens(function):
    return any(p.kind == "opened" for p in function.parameters)


def outs(function):
    return [p for p in function.parameters if p.kind == "out"]


# ---- C ----

def in_c(function):
    """A native method: the arrays that it is given are lent to the core for the call."""
    given = [p for p in function.given if p.kind == "in"]
    kind = "jlong" if opens(function) else "jbyteArray" if outs(function) else "void"
    nothing = {"jlong": " 0", "jbyteArray": " NULL", "void": ""}[kind]
    beside = opens(function) and outs(function)  # bytes that come with a handle
    declared = ["JNIEnv* env", "jclass natives"] + [f"{JNI[p.kind]} {p.name}" for p in function.given]
    if beside:
        declared.append("jobjectArray beside")
    lines = [f"static {kind} call_{function.name}({', '.join(declared)}) {{", "  (void)natives;", "  zhibu_out error = {NULL, 0};"]
    if given:
        lines += [
            f"  jbyteArray const given[] = {{{', '.join(p.name for p in given)}}};",
            f"  zhibu_in lent[{len(given)}];",
            f"  if (!lend(env, {len(given)}, given, lent)) return{nothing};",
        ]
    arguments = []
    for p in function.parameters:
        if p.kind == "handle":
            arguments.append(f"(zhibu_handle){p.name}")
        elif p.kind == "in":
            arguments.append(f"lent[{given.index(p)}]")
        else:
            arguments.append(f"&{p.name}_out")
            empty = "zhibu_handle {}_out = 0;" if p.kind == "opened" else "zhibu_out {}_out = {{NULL, 0}};"
            lines.append("  " + empty.format(p.name))
    lines.append(f"  const int32_t code = {function.name}({', '.join(arguments + ['&error'])});")
    if given:
        lines.append(f"  take_back({len(given)}, lent);")
    handle = next((p.name for p in function.parameters if p.kind == "opened"), None)
    out = outs(function)[0].name if outs(function) else None
    if beside:
        lines += [
            f"  if (!put(env, beside, code, &{out}_out)) {function.name.replace('_open', '_close')}({handle}_out, NULL);",
        ]
    if opens(function):
        lines.append(f"  return opened(env, code, {handle}_out, &error);")
    elif out:
        lines.append(f"  return answer(env, code, &{out}_out, &error);")
    else:
        lines.append("  done(env, code, &error);")
    return "\n".join(lines + ["}", ""])


def signature(function):
    given = "".join(SIGNATURES[p.kind] for p in function.given)
    if opens(function):
        return f"({given}{'[[B' if outs(function) else ''})J"
    return f"({given}){'[B' if outs(function) else 'V'}"


def functions_c(all_functions):
    entries = "\n".join(f'    {{"{java_name(f)}", "{signature(f)}", (void*)call_{f.name}}},' for f in all_functions)
    return "\n".join([
        '#include "glue.h"\n',
        *[in_c(f) for f in all_functions],
        "const JNINativeMethod kFunctions[] = {",
        entries,
        "};",
        "const int kFunctionCount = sizeof kFunctions / sizeof *kFunctions;",
        "",
    ])


# ---- Java ----

def native_java(all_functions):
    lines = []
    for f in all_functions:
        kind = "long" if opens(f) else "byte[]" if outs(f) else "void"
        given = [f"{JAVA[p.kind]} {p.name}" for p in f.given] + (["byte[][] beside"] if opens(f) and outs(f) else [])
        lines.append(f"  static native {kind} {java_name(f)}({', '.join(given)});")
    return f"""package zhibu.client;

/** The C interface as it is: bytes in, bytes out, handles as numbers. */
final class Native {{
  private Native() {{}}

  static {{
    System.loadLibrary("zhibu_jni");
  }}

  static native int abiVersion();
  static native long live();
  static native long eventsOpen(long store, Events.Listener listener);

{chr(10).join(lines)}
}}
"""


def java_type(p):
    """Of a parameter or of what comes back; what only the core understands stays bytes."""
    if p.name == "body":
        return "com.google.protobuf.MessageLite"
    if p.message == "text":
        return "String"
    if p.message == "bytes" or p.message.startswith("google."):
        return "ByteString"
    return p.message if "." in p.message else f"zhibu.api.v1.{p.message}"


def to_bytes(p):
    return f"utf8({p.name})" if java_type(p) == "String" else f"{p.name}.toByteArray()"


def of_bytes(p, given):
    kind = java_type(p)
    if kind == "String":
        return f"text({given})"
    return f"bytes({given})" if kind == "ByteString" else f"message({kind}.parser(), {given})"


def javadoc(words):
    """The header's words, its names as Java has them."""
    said = re.sub(r"zhibu_(\w+)", lambda name: java_name_of(name[0]), words)
    return textwrap.fill(said, 98, initial_indent="  /** ", subsequent_indent="   * ", break_long_words=False) + " */\n"


def store_call(f):
    out = outs(f)[0] if outs(f) else None
    given = [p for p in f.given if p.kind == "in"]
    call = f"Native.{java_name(f)}({', '.join(['handle()'] + [to_bytes(p) for p in given])})"
    words = javadoc(f.words) if f.words else ""
    kind = java_type(out) if out else "void"
    return f"""{words}  public {kind} {java_name(f)}({', '.join(f'{java_type(p)} {p.name}' for p in given)}) {{
    {'return ' + of_bytes(out, call) if out else call};
  }}
"""


def store_calls_java(all_functions):
    of_store = [
        f for f in all_functions
        if f.parameters[0].name == "store" and f.parameters[0].kind == "handle" and not opens(f) and f.name not in NOT_A_STORES
    ]
    return f"""package zhibu.client;

import com.google.protobuf.ByteString;

/** What is asked of a store; each waits for its file, none for the network. */
public abstract class StoreCalls extends Handle {{
  StoreCalls(long handle) {{
    super(handle);
  }}

{chr(10).join(store_call(f) for f in of_store)}}}
"""


def main(to):
    made = {
        "native/functions.c": functions_c,
        "java/zhibu/client/Native.java": native_java,
        "java/zhibu/client/StoreCalls.java": store_calls_java,
    }
    for name, make in made.items():
        (to / name).parent.mkdir(parents=True, exist_ok=True)
        (to / name).write_text(make(functions()), encoding="utf-8")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
