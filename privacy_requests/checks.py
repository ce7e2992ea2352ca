"""What must be true of answers and of what is handed on before the program starts."""

from typing import Any

from django.core.checks import CheckMessage, Error, register
from django.template import TemplateDoesNotExist, TemplateSyntaxError

from customers.dates import NEVER
from privacy_requests import answers, origins

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


@register("personal_data")
def check_origins(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Refuse a column of which nobody has said where it comes from (POR-01)."""
    found: list[CheckMessage] = []
    for table, missing, unknown in origins.undeclared():
        if missing:
            line = ", ".join(f'"{name}"' for name in sorted(missing))
            found.append(
                Error(
                    f"Nobody has said where columns of {table} come from: {line}.",
                    hint=f'Paste into ORIGINS of privacy_requests.origins: "{table}": '
                    f"Origin(ours=({line},)), or provided=, or observed=.",
                    id="privacy_requests.E003",
                )
            )
        if unknown:
            found.append(
                Error(
                    f"ORIGINS names what {table} does not have: {', '.join(sorted(unknown))}.",
                    hint=f"Remove it from ORIGINS[{table!r}] of privacy_requests.origins.",
                    id="privacy_requests.E004",
                )
            )
    return found
