"""What must be true of answers before the program starts."""

from typing import Any

from django.core.checks import CheckMessage, Error, register
from django.template import TemplateDoesNotExist, TemplateSyntaxError

from customers.dates import NEVER
from privacy_requests import answers

REASONS, RULE = "the reasons as written", "the rule as written"


@register("privacy_requests")
def check_answers(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Refuse a right without its answers, and a no that does not say why or where to complain."""
    found: list[CheckMessage] = []
    about = {"received": NEVER, "number": 1, "reasons": REASONS, "rule": RULE, "more": ""}
    for name, language in answers.names():
        try:
            text = answers.in_words(name, language, about)
        except (TemplateDoesNotExist, TemplateSyntaxError) as problem:
            found.append(
                Error(
                    f"The answer {name} cannot be written: {problem}.",
                    hint=f"Write templates/{name}, as its neighbours are.",
                    id="privacy_requests.E001",
                )
            )
            continue
        is_no = any(f"/{outcome}." in name for outcome in answers.REFUSALS)
        must = [*((REASONS, RULE) if is_no else ())]
        if is_no or answers.NOT_IDENTIFIED in name:
            must += answers.COMPLAINT[language]
        missing = [word for word in must if word not in text]
        if missing:
            found.append(
                Error(
                    f"The answer {name} does not say: {', '.join(missing)}.",
                    hint="A no says why, by which rule and where to complain (INF-07).",
                    id="privacy_requests.E002",
                )
            )
    return found
