"""What a recipient reads: whom it is about by customer number, what we did and what to do now."""

from typing import Any

from django.template import Context
from django.template.loader import get_template
from django.utils import translation

from customers import words
from customers.personal_data import Category
from disclosures.models import Outbox, RecipientNotice

TEMPLATE = "recipient_notice"
# For the outbox, until it leaves.
SUBJECT = "Uppgifter du har fått av oss"
SUBJECTS = {"sv": SUBJECT, "en": "Data that you have received from us"}


def of(message: Outbox) -> tuple[str, str] | None:
    """Return subject and words as a message leaves; None when its notice is closed."""
    found = RecipientNotice.objects.open().select_related("recipient")
    notice = found.filter(message=message.pk).first()
    if notice is None:
        return None
    language = "sv" if notice.recipient.country == "SE" else "en"
    with translation.override(language):
        kinds = [str(c.label).lower() for c in Category if notice.categories & c.value]
        about = {
            "controller": words.controller(),
            "notice": notice,
            "kinds": words.listed(kinds),
            "day": words.full_day(notice.created_at),
        }
        text: Any = get_template(f"mail/{TEMPLATE}.{language}.txt")
        body = str(text.template.render(Context(about, autoescape=False))).strip()
    return SUBJECTS[language], f"{body}\n"
