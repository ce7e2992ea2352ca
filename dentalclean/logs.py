"""How the log is written: what broke and where, without the values it broke on (L07)."""

import copy
import logging
import traceback
from collections.abc import Iterator
from typing import Any


class WithoutValues(logging.Formatter):
    """Leave out the words of exceptions; those of the database quote the rows of people."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record; Celery puts the words of a failure among its arguments too."""
        words: Any = record.args
        if record.exc_info and isinstance(words, dict) and "exc" in words:
            kind = record.exc_info[0]
            record = copy.copy(record)
            record.args = {**words, "exc": kind.__name__ if kind else ""}
        return super().format(record)

    def formatException(self, ei: Any) -> str:  # noqa: N802  the name is logging's
        """Write the frames and the kind of each exception, the first cause first."""
        parts = [
            "".join(traceback.format_tb(problem.__traceback__))
            + f"{type(problem).__module__}.{type(problem).__qualname__}"
            for problem in _causes(ei[1])
        ]
        return "\n\nwhich led to\n\n".join(reversed(parts))


def _causes(problem: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while problem is not None and id(problem) not in seen:
        seen.add(id(problem))
        yield problem
        suppressed = problem.__suppress_context__
        problem = problem.__cause__ or (None if suppressed else problem.__context__)
