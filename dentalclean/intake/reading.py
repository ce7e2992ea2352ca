"""From a CSV file to records, one at a time: whatever is in the file, the rows after it count.

A quotation mark that is never closed, a line of a gigabyte or bytes that are no text spoil their
own row and nothing else, so that every other row can be judged.
"""

import csv
import re
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

LONGEST_LINE = 1_000_000  # signs; also the longest record
MOST_LINES = 200  # of one record with line breaks inside quotation marks
NO_TEXT = re.compile("[\udc80-\udcff]")
csv.field_size_limit(LONGEST_LINE)


class UnreadableError(Exception):
    """The file cannot be used at all; the message is one sentence that says what to do."""


@dataclass(frozen=True)
class Record:
    """The cells of one row and the line it begins on; or what is wrong with it."""

    line: int
    cells: Sequence[str] = ()
    problem: str = ""


@dataclass
class Lines:
    """The lines of a file, none longer than `LONGEST_LINE`, with room to put some back."""

    stream: TextIO
    number: int = 0
    _back: deque[str] = field(default_factory=deque)

    def next(self) -> str:
        """Return the next line, an empty text at the end; too long a one comes cut, no newline."""
        if self._back:
            line = self._back.popleft()
        else:
            line = self.stream.readline(LONGEST_LINE)
            rest = line
            while rest and not rest.endswith("\n"):
                rest = self.stream.readline(LONGEST_LINE)
        if line:
            self.number += 1
        return line

    def put_back(self, lines: Sequence[str]) -> None:
        """Let these lines come again, first of all."""
        self._back.extendleft(reversed(lines))
        self.number -= len(lines)


def header(
    path: Path, stream: TextIO, known: Callable[[Sequence[str]], bool]
) -> tuple[str, list[str]]:
    """Return the delimiter and the column names; raises UnreadableError."""
    line = stream.readline(LONGEST_LINE)
    if "\0" in line or _is_no_text(line):
        raise UnreadableError(f"{path.name} is not a text file in UTF-8; save it as CSV in UTF-8.")
    if not line.strip():
        raise UnreadableError(
            f"{path.name} is empty; give it a header line with the names of its columns."
        )
    for delimiter in sorted(";,", key=line.count, reverse=True):
        names = _split(line, delimiter)
        if names is not None and known(names := [name.strip().casefold() for name in names]):
            return delimiter, names
    delimiter = max(";,", key=line.count)
    names = _split(line, delimiter) or [line]
    return delimiter, [name.strip().casefold() for name in names]


def records(stream: TextIO, delimiter: str, width: int) -> Iterator[Record]:
    """Yield the rows after the header; blank lines are none."""
    lines = Lines(stream, number=1)
    while first := lines.next():
        line_number = lines.number
        if not first.strip(f"{delimiter} \t\r\n"):
            continue
        if '"' not in first and len(first) < LONGEST_LINE:
            cells: Sequence[str] | None = first.rstrip("\n").split(delimiter)
        else:
            cells = _whole_record(lines, first, delimiter, width)
        yield _judged(line_number, first, cells, width)


def _judged(number: int, first: str, cells: Sequence[str] | None, width: int) -> Record:
    if cells is None and len(first) >= LONGEST_LINE:
        return Record(number, problem="The line is longer than a million signs; shorten it.")
    if cells is None:
        return Record(number, problem='A quotation mark is out of place; double it: "".')
    text = first if '"' not in first else "".join(cells)
    if _is_no_text(text):
        return Record(number, problem="The row is not UTF-8; save the file in UTF-8.")
    if "\0" in text:
        return Record(number, problem="The row has a NUL byte; take it away.")
    if len(cells) != width:
        return Record(
            number,
            problem=f"The row has {len(cells)} cells and the header {width}; give it as many.",
        )
    return Record(number, cells)


def _whole_record(lines: Lines, first: str, delimiter: str, width: int) -> Sequence[str] | None:
    """Return the cells of a record that may go on over several lines, or None.

    When the lines do not make a record of the right width, only the first is taken.
    """
    if len(first) >= LONGEST_LINE:
        return None
    text = first
    more: list[str] = []
    while text.count('"') % 2 and len(more) < MOST_LINES and len(text) < LONGEST_LINE:
        following = lines.next()
        if not following:
            break
        more.append(following)
        text += following
    cells = _split(text, delimiter)
    if more and (cells is None or len(cells) != width):
        lines.put_back(more)
        return _split(first, delimiter)
    return cells


def _split(text: str, delimiter: str) -> list[str] | None:
    reader = csv.reader((text,), delimiter=delimiter, strict=True)
    try:
        return next(reader, None)
    except csv.Error:
        return None


def _is_no_text(line: str) -> bool:
    """Say whether bytes that are no UTF-8 were smuggled through by `surrogateescape`."""
    return not line.isascii() and NO_TEXT.search(line) is not None
