"""The extract on paper: words to the typesetter's process, a PDF back, or nothing in good time."""

import atexit
import json
import os
import re
import selectors
import subprocess
import sys
import threading
import time
import unicodedata
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings

from privacy_requests.typesetting import DONE, LENGTH_BYTES, message

HERE = Path(__file__).parent
PROGRAM = HERE / "typesetting.py"
TEMPLATE = HERE / "typst" / "extract.typ"
FONTS = HERE / "typst" / "fonts"

# E11: what one document may cost. The wall is below the soft time limit of the task that builds.
MOST_BYTES = 2 * 1024**3
CPU_SECONDS = 60
WALL_SECONDS = 40
# A process that has set so many is replaced, whatever it may have kept of them.
DOCUMENTS_EACH = 200

# What the fonts of the PDF can show; the typesetter refuses, or falls over, on other signs.
SHOWN = (
    "\\n\\x20-\\x7e\\xa0-\\xac\\xae-\\u024f\\u0370-\\u0377\\u037a-\\u037e\\u0384-\\u038a"
    "\\u038c\\u038e-\\u03a1\\u03a3-\\u04ff\\u1e00-\\u1eff–—‘’“”•…€−"
)
NOT_SHOWN = re.compile(f"[^{SHOWN}]")
INSTEAD = "?"
# A word without end may break here, or it would run off the paper.
LONG_WORD = re.compile(r"\S{40}(?=\S{10})")
MAY_BREAK = "\\g<0>\N{ZERO WIDTH SPACE}"


class LayoutError(Exception):
    """The PDF could not be set."""


class Typesetter:
    """A process that sets one document at a time, started when first asked."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._started_by = 0
        self._documents = 0

    @property
    def pid(self) -> int | None:
        """The process there is, for who measures it."""
        return self._process.pid if self._process else None

    def set(self, words: str, moment: datetime) -> bytes:
        """Return words as a PDF; raises LayoutError."""
        order = {"data": words, "moment": moment.replace(microsecond=0).isoformat()}
        with self._lock:
            try:
                answer = self._exchange(message(json.dumps(order).encode()))
            except BaseException as problem:
                # Whatever it was, half a document is on its way: the next one gets a new process.
                self.end()
                if isinstance(problem, OSError):
                    raise LayoutError("The typesetter ended without a PDF.") from problem
                raise
        if answer[:1] != DONE:
            raise LayoutError("The PDF could not be set.")
        return answer[1:]

    def _exchange(self, order: bytes) -> bytes:
        asked, answer = self._pipes()
        until = time.monotonic() + WALL_SECONDS
        rest = memoryview(order)
        while rest:
            rest = rest[os.write(asked, rest) :]
        with selectors.DefaultSelector() as waiting:
            waiting.register(answer, selectors.EVENT_READ)
            length = int.from_bytes(_bytes(answer, LENGTH_BYTES, waiting, until), "big")
            return _bytes(answer, length, waiting, until)

    def _pipes(self) -> tuple[int, int]:
        process = self._running()
        if process.stdin is None or process.stdout is None:
            raise BrokenPipeError("The typesetter has no pipes.")
        return process.stdin.fileno(), process.stdout.fileno()

    def _running(self) -> subprocess.Popen[bytes]:
        """Return a process of our own: a fork has no part in its parent's."""
        if self._started_by != os.getpid():
            self._process = None
        if self._documents >= DOCUMENTS_EACH or (
            self._process and self._process.poll() is not None
        ):
            self.end()
        if self._process is None:
            limits = (str(MOST_BYTES), str(CPU_SECONDS))
            self._process = subprocess.Popen(
                [sys.executable, "-I", str(PROGRAM), str(TEMPLATE), str(FONTS), *limits],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={},
                cwd=TEMPLATE.parent,
                start_new_session=True,
                bufsize=0,
            )
            self._started_by, self._documents = os.getpid(), 0
        self._documents += 1
        return self._process

    def end(self) -> None:
        """End the process, if there is one and it is ours."""
        process, self._process = self._process, None
        if process is None or self._started_by != os.getpid():
            return
        process.kill()
        process.communicate()


def _bytes(descriptor: int, count: int, waiting: selectors.BaseSelector, until: float) -> bytes:
    """Return so many bytes, as long as they come in time; raises OSError."""
    found = bytearray()
    while len(found) < count:
        if not waiting.select(max(until - time.monotonic(), 0)):
            raise TimeoutError("The typesetter took too long.")
        part = os.read(descriptor, min(count - len(found), 1 << 20))
        if not part:
            raise BrokenPipeError("The typesetter is gone.")
        found += part
    return bytes(found)


typesetter = Typesetter()
atexit.register(typesetter.end)


@lru_cache(maxsize=1)
def _logo() -> str:
    return (Path(settings.BASE_DIR) / "static" / "img" / "logo.svg").read_text()


def pdf(pages: dict[str, Any], moment: datetime) -> bytes:
    """Return pages as a tagged PDF (PDF/UA-1, PDF/A-3a) of a moment; raises LayoutError."""
    return typesetter.set(words_of(pages), moment)


def words_of(pages: dict[str, Any]) -> str:
    """Return what the template of the typesetter reads."""
    return json.dumps({**showable(pages), "logo": _logo()}, ensure_ascii=False)


def showable(value: Any) -> Any:
    """Replace what the fonts cannot show, everywhere; the JSON has it as it is."""
    if isinstance(value, str):
        if value.isascii() and value.isprintable() and len(value) < 50:
            return value
        composed = unicodedata.normalize("NFC", value).replace("\N{SOFT HYPHEN}", "")
        plain = composed.replace("\r\n", "\n").replace("\t", " ")
        return LONG_WORD.sub(MAY_BREAK, NOT_SHOWN.sub(INSTEAD, plain))
    if isinstance(value, list | tuple):
        return [showable(entry) for entry in value]
    if isinstance(value, dict):
        return {key: showable(entry) for key, entry in value.items()}
    return value
