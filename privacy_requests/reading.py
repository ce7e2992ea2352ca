"""The extract as one page of HTML for a screen, a screen reader or a phone, and nothing around it.

It runs nothing and fetches nothing: the words are escaped, and the page itself forbids the rest to
whoever opens it from a disk (E04).
"""

import re
from typing import Any

from django.template.loader import render_to_string

TEMPLATE = "privacy_requests/extract_document.html"
# Not letters: what controls a terminal, or turns the text around that follows.
UNSEEN = re.compile(
    "[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\u061c\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069]"
)
INSTEAD = "?"


def html(pages: dict[str, Any]) -> bytes:
    """Return pages as a file that can be read in any browser."""
    return render_to_string(TEMPLATE, {"pages": seen(pages)}).encode(errors="replace")


def seen(value: Any) -> Any:
    if isinstance(value, str):
        return UNSEEN.sub(INSTEAD, value.replace("\r\n", "\n"))
    if isinstance(value, list | tuple):
        return [seen(entry) for entry in value]
    if isinstance(value, dict):
        return {key: seen(entry) for key, entry in value.items()}
    return value
