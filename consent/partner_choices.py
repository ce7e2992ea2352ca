"""What Mina val shows of named companies: each one the person has said yes to, and how to stop it.

A company gets nothing without a yes that names it (PAR-01). Here it is taken back, one click for
each; a new yes is said where the company asks for it, with its own words, and not here.
"""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from consent.choice_words import BY, holds, yes_button
from consent.choices import Choice, name, row_id
from consent.models import Standing
from consent.purposes import Use
from customers.models import Customer
from customers.models.channels import Channel
from customers.models.people import Restriction


def partners(customer: Customer, saved: str = "") -> dict[str, Any]:
    """Return the section with a row for every named company and way the person has answered."""
    answered = Standing.objects.filter(
        customer=customer, permission=Standing.Permission.CONSENT
    ).exclude(third_party="")
    limited = customer.restriction != Restriction.NONE
    rows = [
        _choice(row, saved, limited=limited)
        for row in answered.order_by("declined", "third_party", "channel")
    ]
    if rows:
        intro = _(
            "Det här har du sagt ja till. Bara de företag som står här med ett ja får dina "
            "uppgifter för egen reklam."
        )
    else:
        intro = _(
            "Inget företag får dina uppgifter för egen reklam om du inte säger ja till just "
            "det företaget. Nu finns det inget sådant företag, så det finns inget att välja."
        )
    return {"title": _("Andra företag"), "intro": intro, "choices": rows}


def has_a_live_yes(section: dict[str, Any]) -> bool:
    """Say whether any company in the section has a yes left to take back."""
    return any(choice.yes for choice in section["choices"])


def _choice(standing: Standing, saved: str, *, limited: bool) -> Choice:
    use = Use(standing.purpose, standing.channel, standing.third_party)
    about = {"company": use.third_party, "how": BY[Channel(use.channel)]}
    if standing.declined:
        effect = _(
            "%(company)s får inga uppgifter om dig för reklam %(how)s. Vill du ändra dig ringer "
            "du oss."
        )
    else:
        effect = _(
            "Säger du nej lämnar vi inte ut fler uppgifter om dig till %(company)s för reklam "
            "%(how)s, från och med nu."
        )
    since = holds(standing.permission, standing.since, declined=standing.declined)
    if limited and not standing.declined:
        since = f"{since}. " + _("Användningen av dina uppgifter är begränsad.")
    return Choice(
        id=row_id(use),
        icon="",
        name=_("%(company)s, %(how)s") % about,
        since=since,
        effect=effect % about,
        url=reverse("consent:choose_partner", args=[use.channel, use.third_party]),
        about=f"{name(use)}, {use.third_party}",
        yes=not standing.declined,
        yes_button=yes_button(standing.permission, pressed=not standing.declined),
        locked=standing.declined,
        done=_("Klart. Ditt nej gäller från nu.") if saved == row_id(use) else "",
    )
