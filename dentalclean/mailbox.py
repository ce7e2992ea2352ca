"""The mailbox of development: what an embedded house has "sent", read from its folders."""

import email
import email.policy
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from customers.words import moment

# The file backend of Django writes each message and then a line of dashes.
BETWEEN = re.compile(rb"^-{79}\n", re.MULTILINE)
MOST = 100


@dataclass(frozen=True)
class Letter:
    """One mail or letter."""

    key: str
    subject: str
    to: str
    sender: str
    at: datetime
    text: str

    @property
    def url(self) -> str:
        return reverse("letter", args=[self.key])

    @property
    def when(self) -> str:
        return moment(self.at)

    @property
    def line(self) -> str:
        return _("Till %(to)s, %(when)s") % {"to": self.to, "when": self.when}


def letters() -> list[Letter]:
    """Return what has been sent, newest first."""
    found = [*_mails(Path(settings.HOUSE.mail)), *_paper(Path(settings.DATA_DIR) / "letters")]
    return sorted(found, key=lambda letter: (letter.at, letter.key), reverse=True)[:MOST]


def _newest(folder: Path, pattern: str) -> list[Path]:
    found = [(path.stat().st_mtime, path) for path in folder.glob(pattern)]
    return [path for _time, path in sorted(found, reverse=True)[:MOST]]


def _mails(folder: Path) -> list[Letter]:
    found = []
    for path in _newest(folder, "*.log"):
        for number, raw in enumerate(BETWEEN.split(path.read_bytes())):
            if raw.strip():
                found.append(_mail(f"{path.stem}-{number}", path, raw))
    return found


def _mail(key: str, path: Path, raw: bytes) -> Letter:
    parsed = email.message_from_bytes(raw, policy=email.policy.default)
    part = parsed.get_body(("plain",))
    sent = parsed["Date"].datetime if parsed["Date"] else _changed(path)
    return Letter(
        key=key,
        subject=str(parsed["Subject"] or ""),
        to=str(parsed["To"] or ""),
        sender=str(parsed["From"] or ""),
        at=sent if sent.tzinfo else sent.replace(tzinfo=UTC),
        text=part.get_content().strip() if part else "",
    )


def _paper(folder: Path) -> list[Letter]:
    found = []
    for path in _newest(folder, "*.txt"):
        to, _gap, text = path.read_text().partition("\n\n\n")
        subject, _gap, body = text.partition("\n\n")
        one_line = ", ".join(to.splitlines())
        found.append(Letter(path.stem, subject, one_line, "", _changed(path), body.strip()))
    return found


def _changed(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, tz=UTC)
