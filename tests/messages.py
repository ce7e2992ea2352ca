"""The words of the product: found in the code, kept in locale/, compiled; gettext is not needed.

python -m tests.messages (or `make messages`) brings the catalogue up to date with the code.
"""

import ast
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import django
import polib
from django.template import Template
from django.template.loader import get_template
from django.templatetags.i18n import BlockTranslateNode, TranslateNode

ROOT = Path(__file__).resolve().parent.parent
APPS = (
    "customers",
    "consent",
    "disclosures",
    "retention",
    "marketing",
    "privacy_requests",
    "dentalclean",
)
ENGLISH = ROOT / "locale" / "en" / "LC_MESSAGES" / "django.po"
# Which arguments of each function are the context, the message and its plural.
FUNCTIONS = {
    "_": (None, 0, None),
    "gettext": (None, 0, None),
    "gettext_lazy": (None, 0, None),
    "ngettext": (None, 0, 1),
    "ngettext_lazy": (None, 0, 1),
    "pgettext": (0, 1, None),
    "pgettext_lazy": (0, 1, None),
    "npgettext": (0, 1, 2),
    "npgettext_lazy": (0, 1, 2),
}


class Message(NamedTuple):
    """What gettext is asked for."""

    text: str
    plural: str = ""
    context: str = ""


def in_python(source: str) -> Iterator[Message]:
    """Yield what the calls in a module ask for; what is not written out there cannot be found."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        if name in FUNCTIONS:
            context, text, plural = (
                "" if place is None else ast.literal_eval(node.args[place])
                for place in FUNCTIONS[name]
            )
            yield Message(text, plural, context)


def in_template(template: Template) -> Iterator[Message]:
    """Yield what the tags of a template ask for."""
    for node in template.nodelist.get_nodes_by_type(TranslateNode):
        context = node.message_context
        yield Message(str(node.filter_expression.var.literal), "", _plain(context))
    for node in template.nodelist.get_nodes_by_type(BlockTranslateNode):
        text, _names = node.render_token_list(node.singular)
        plural = node.render_token_list(node.plural)[0] if node.plural else ""
        yield Message(text, plural, _plain(node.message_context))


def _plain(context: object) -> str:
    return str(getattr(context, "var", "")) if context else ""


def templates() -> list[str]:
    """Return the names of our own templates."""
    folder = ROOT / "templates"
    found = [*folder.rglob("*.html"), *folder.rglob("*.txt")]
    return sorted(str(path.relative_to(folder)) for path in found)


def asked_for() -> dict[tuple[str, str], Message]:
    """Return every message of the product by its text and context, in the order of the code."""
    found = [
        message
        for app in APPS
        for path in sorted((ROOT / app).rglob("*.py"))
        if "migrations" not in path.parts
        for message in in_python(path.read_text())
    ]
    for name in templates():
        found += in_template(get_template(name).template)
    messages: dict[tuple[str, str], Message] = {}
    for message in found:
        key = (message.text, message.context)
        if key not in messages or message.plural:
            messages[key] = message
    return messages


def refresh() -> polib.POFile:
    """Bring the catalogue up to date: new messages wait for their words, unused ones go."""
    old = {(entry.msgid, entry.msgctxt or ""): entry for entry in polib.pofile(ENGLISH)}
    catalogue = polib.POFile(wrapwidth=0)
    catalogue.metadata = {
        "Project-Id-Version": "dentalclean",
        "Language": "en",
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
        "Plural-Forms": "nplurals=2; plural=(n != 1);",
    }
    for key, message in asked_for().items():
        catalogue.append(_entry(message, old.get(key)))
    return catalogue


def _entry(message: Message, old: polib.POEntry | None) -> polib.POEntry:
    entry = polib.POEntry(msgid=message.text, msgctxt=message.context or None)
    if "%(" in message.text + message.plural:
        entry.flags = ["python-format"]
    if not message.plural:
        entry.msgstr = (old.msgstr or old.msgstr_plural.get(1, "")) if old else ""
        return entry
    entry.msgid_plural = message.plural
    entry.msgstr_plural = {0: "", 1: ""}
    if old:
        entry.msgstr_plural = old.msgstr_plural or {0: old.msgstr, 1: old.msgstr}
    return entry


def main() -> int:
    """Write the catalogue and its compiled form; say what still waits for words."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dentalclean.settings_test")
    django.setup()
    catalogue = refresh()
    catalogue.save(str(ENGLISH))
    catalogue.save_as_mofile(str(ENGLISH.with_suffix(".mo")))
    waiting = catalogue.untranslated_entries()
    sys.stdout.write(f"{len(catalogue)} messages.\n")
    for entry in waiting:
        sys.stdout.write(f"No English yet: {entry.msgid}\n")
    return 1 if waiting else 0


if __name__ == "__main__":
    sys.exit(main())
