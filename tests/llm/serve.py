#!/usr/bin/env python3
"""Serves a small language model on loopback, in OpenAI's protocol, until its standard input is closed.

Owns how the server is started: one thread, since more of them wait for each other on a busy machine, and a chat
template by which this family of models calls tools as it was trained to. Refuses to listen anywhere else.

    serve.py --model FILE.gguf --port PORT --site DIR [--context TOKENS]

`--site` is the folder with the server's package, as fetch.py prints it.
"""

import argparse
import os
import pathlib
import struct
import sys
import threading

# Sizes of GGUF's scalar types by their number; 8 is a string, 9 a list.
SCALARS = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
TEMPLATE_KEY = "tokenizer.chat_template"
# Bytes of a template that is believed.
TEMPLATE_BYTES_MAX = 1 << 20


def read_string(file) -> bytes:
    """One string of a GGUF file."""
    (length,) = struct.unpack("<Q", file.read(8))
    if length > TEMPLATE_BYTES_MAX:
        raise ValueError(f"a string of {length} bytes in the model's header")
    return file.read(length)


def skip_value(file, kind: int) -> None:
    """Goes past a value that nobody wants."""
    if kind in SCALARS:
        file.seek(SCALARS[kind], os.SEEK_CUR)
    elif kind == 8:
        (length,) = struct.unpack("<Q", file.read(8))
        file.seek(length, os.SEEK_CUR)
    elif kind == 9:
        inner, count = struct.unpack("<IQ", file.read(12))
        if inner in SCALARS:
            file.seek(SCALARS[inner] * count, os.SEEK_CUR)
        else:
            for _ in range(count):
                skip_value(file, inner)
    else:
        raise ValueError(f"an unknown type {kind} in the model's header")


def chat_template(path: pathlib.Path) -> str | None:
    """The chat template in a GGUF file's header, if it has one."""
    with path.open("rb") as file:
        magic, version = struct.unpack("<4sI", file.read(8))
        if magic != b"GGUF" or version not in (2, 3):
            raise ValueError(f"{path} is no GGUF file of version 2 or 3")
        _, count = struct.unpack("<QQ", file.read(16))
        for _ in range(count):
            key = read_string(file).decode()
            (kind,) = struct.unpack("<I", file.read(4))
            if key == TEMPLATE_KEY and kind == 8:
                return read_string(file).decode()
            skip_value(file, kind)
    return None


def fenced_calls(template: str) -> str:
    """The template with tool calls in a fence of JSON: what these models write, whatever their template says."""
    return template.replace("</tool_call>", "```").replace("<tool_call>", "```json")


def end_with_input() -> None:
    """Ends the process when whoever started it goes away."""
    while sys.stdin.buffer.read(4096):
        pass
    os._exit(0)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--model", type=pathlib.Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--site", required=True)
    parser.add_argument("--context", type=int, default=8192)
    arguments = parser.parse_args()
    sys.path.insert(0, arguments.site)
    import xllamacpp  # its place is known only now

    params = xllamacpp.CommonParams()
    params.model.path = str(arguments.model)
    # The name under which it is asked and recorded; without one it would be the path of the file.
    params.model_alias = {arguments.model.stem}
    params.n_ctx = arguments.context
    params.n_parallel = 1
    params.hostnames = ["127.0.0.1"]
    params.port = arguments.port
    params.cpuparams.n_threads = 1
    params.cpuparams_batch.n_threads = 1
    template = chat_template(arguments.model)
    if template and "<tool_call>" in template:
        params.chat_template = fenced_calls(template)
    server = xllamacpp.Server(params)
    print(f"serving on 127.0.0.1:{arguments.port}", flush=True)
    end_with_input()
    del server
    return 0


if __name__ == "__main__":
    sys.exit(main())
