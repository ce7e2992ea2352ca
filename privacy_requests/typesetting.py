"""The process that sets type: `python -I typesetting.py TEMPLATE FONTS BYTES CPU_SECONDS`.

It knows a template and fonts and gets words through its standard input. Neither Django nor our
settings are here, nor a connection to anything: whatever a document does to the typesetter, it does
to a process that has nothing, may use so much memory and time, and is replaced when it dies (E11).
"""

import json
import os
import resource
import sys
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import typst

LENGTH_BYTES = 4
DONE, FAILED = b"+", b"-"


def read_message(source: BinaryIO) -> bytes:
    """Return what was sent whole; nothing at the end."""
    length = source.read(LENGTH_BYTES)
    return source.read(int.from_bytes(length, "big")) if len(length) == LENGTH_BYTES else b""


def message(words: bytes) -> bytes:
    """Return something as it is sent: its length before it."""
    return len(words).to_bytes(LENGTH_BYTES, "big") + words


def main(template: Path, fonts: Path, most_bytes: int, cpu_seconds: int) -> None:
    """Set one document after the other, until nobody asks any more."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (most_bytes, most_bytes))
    # Our own fonts and those the typesetter brings, so that all machines set alike.
    faces = typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=[fonts])
    compiler = typst.Compiler(template, root=template.parent, font_paths=faces)
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    while asked := read_message(source):
        used = resource.getrusage(resource.RUSAGE_SELF)
        soft = int(used.ru_utime + used.ru_stime) + cpu_seconds
        resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.RLIM_INFINITY))
        sink.write(message(_set(compiler, asked)))
        sink.flush()


def _set(compiler: typst.Compiler, asked: bytes) -> bytes:
    order = json.loads(asked)
    try:
        made = compiler.compile(
            format="pdf",
            pdf_standards=["ua-1", "a-3a"],
            sys_inputs={"data": order["data"]},
            timestamp=datetime.fromisoformat(order["moment"]),
        )
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as crash:  # a panic of the typesetter is no Exception
        return FAILED + type(crash).__name__.encode()
    return DONE + made if isinstance(made, bytes) else FAILED


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
    os._exit(0)
