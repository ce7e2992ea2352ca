"""Bare typst in a process of its own: `python bench/typst_alone.py FILE...`, JSON to set in turn.

Prints the seconds that the last one took, and the most memory the process had, in KiB.
"""

import resource
import sys
import time
from pathlib import Path

import typst

TEMPLATE = Path(__file__).parent / "bare.typ"


def compiler() -> typst.Compiler:
    """Return bare typst, its template read and its fonts at hand."""
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=True)
    return typst.Compiler(TEMPLATE, root=TEMPLATE.parent, font_paths=fonts)


def bare(compiled: typst.Compiler, words: str) -> bytes:
    """Set words by the standards that the extract is set by."""
    made = compiled.compile(
        format="pdf", pdf_standards=["ua-1", "a-3a"], sys_inputs={"data": words}, timestamp=0
    )
    if not isinstance(made, bytes):
        raise TypeError("Bare typst returned no PDF.")
    return made


if __name__ == "__main__":
    alone, took = compiler(), 0.0
    for name in sys.argv[1:]:
        words = Path(name).read_text()
        started = time.perf_counter()
        bare(alone, words)
        took = time.perf_counter() - started
    print(took, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
