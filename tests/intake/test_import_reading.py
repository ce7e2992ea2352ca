"""From a file to rows: whatever one row holds, the rows after it are read."""

import io

import pytest

from dentalclean.intake.reading import LONGEST_LINE, Record, records


def read(text: str, width: int) -> list[Record]:
    return list(records(io.StringIO(text), ";", width))


def test_rows_know_their_line() -> None:
    found = read("a;b\n\n;\nc;d\n", 2)
    assert [(r.line, list(r.cells)) for r in found] == [(2, ["a", "b"]), (5, ["c", "d"])]


def test_a_cell_may_have_line_breaks_inside_marks() -> None:
    found = read('a;"b\nc ""d"""\ne;f\n', 2)
    assert [(r.line, list(r.cells)) for r in found] == [(2, ["a", 'b\nc "d"']), (4, ["e", "f"])]


@pytest.mark.parametrize(
    "bad",
    [
        'a;"never closed',
        "a;b;c",
        "a",
        "a;b\0",
        "a;" + "x" * (LONGEST_LINE + 5),
        'a;"' + "x" * (LONGEST_LINE + 5),
        "a;b\udce5",
    ],
)
def test_a_bad_row_spoils_no_other(bad: str) -> None:
    found = read(f"1;2\n{bad}\n3;4\n5;6\n", 2)
    problems = [r for r in found if r.problem]
    good = [list(r.cells) for r in found if not r.problem]
    assert good == [["1", "2"], ["3", "4"], ["5", "6"]]
    assert [r.line for r in problems] == [3]
    assert problems[0].problem.endswith(".")


def test_a_mark_inside_a_cell_is_a_sign_like_another() -> None:
    found = read('a;15" screen\nb;c\n', 2)
    assert [list(r.cells) for r in found] == [["a", '15" screen'], ["b", "c"]]
