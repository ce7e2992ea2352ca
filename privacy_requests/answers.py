"""The words of answers: a template for each right, outcome and language (INF-07, issue line 9)."""

from collections.abc import Iterator
from typing import Any

from django.template import Context
from django.template.loader import get_template
from django.utils import translation

from customers.words import controller
from privacy_requests.models import Case

LANGUAGES = ("sv", "en")
NOT_IDENTIFIED = "not_identified"
REFUSALS = (Case.Outcome.PARTLY, Case.Outcome.REFUSED)
# What must stand wherever somebody does not get what they asked for (GDPR 12(4)).
COMPLAINT = {"sv": ("IMY", "domstol"), "en": ("IMY", "court")}


def outcomes(right: str) -> tuple[str, ...]:
    """Return what a right can be answered with."""
    nothing = (Case.Outcome.NO_DATA,) if right == Case.Right.ACCESS else ()
    return (Case.Outcome.GRANTED, *REFUSALS, *nothing)


def by_engine(right: str) -> tuple[str, ...]:
    """Return the answers that only the engine gives, when it has done what they say (ERA-04)."""
    done = (Case.Outcome.GRANTED, Case.Outcome.PARTLY)
    return done if right == Case.Right.ERASURE else ()


def by_hand(right: str) -> tuple[str, ...]:
    """Return the answers that a human gives."""
    return tuple(outcome for outcome in outcomes(right) if outcome not in by_engine(right))


def names() -> Iterator[tuple[str, str]]:
    """Yield each template that must be there, with its language."""
    for language in LANGUAGES:
        yield f"answers/{NOT_IDENTIFIED}.{language}.txt", language
        for right in Case.Right.values:
            for outcome in outcomes(right):
                yield f"answers/{right}/{outcome}.{language}.txt", language


def name_of(right: str, outcome: str, language: str) -> str:
    """Return the template of an answer."""
    folder = "" if outcome == NOT_IDENTIFIED else f"{right}/"
    return f"answers/{folder}{outcome}.{language}.txt"


def render(case: Case, outcome: str, more: str = "", *, language: str = "") -> str:
    """Return an answer in the person's language or another; raises TemplateDoesNotExist."""
    language = language or ("en" if case.customer.language == "en" else "sv")
    about = {
        "received": case.received_on,
        "number": case.pk,
        "reasons": case.reasons,
        "rule": case.rule,
        "more": more,
    }
    return in_words(name_of(case.right, outcome, language), language, about)


def in_words(template: str, language: str, about: dict[str, Any]) -> str:
    """Render a template of an answer as plain text."""
    found: Any = get_template(template)
    with translation.override(language):
        plain = Context({"controller": controller(), **about}, autoescape=False)
        text: str = found.template.render(plain)
    return text.strip()
