"""The words of Mina val: what each choice is called, what a yes lets us do and what a no ends."""

from dataclasses import dataclass
from datetime import date

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy

from consent.models import Event, Standing
from consent.purposes import BY_CODE, Ends
from customers.models.channels import Channel
from customers.words import full_day

ADS = ("G", "H")


@dataclass(frozen=True)
class Group:
    """A section of the page: the purposes it asks about."""

    title: str | Promise
    intro: str | Promise
    purposes: tuple[str, ...]
    # Whether its rows are told apart by the channel alone.
    by_channel: bool = False


GROUPS = (
    Group(
        gettext_lazy("Nyheter medan du är kund"),
        gettext_lazy(
            "Om sådant som liknar det du redan köper. Varje val gäller så fort du trycker."
        ),
        ("G",),
        by_channel=True,
    ),
    Group(
        gettext_lazy("Erbjudanden från oss"),
        gettext_lazy("Medan du är kund och en tid efter. Du bestämmer på vilket sätt."),
        ("H",),
        by_channel=True,
    ),
    Group(
        gettext_lazy("Anpassat efter dina köp"),
        gettext_lazy("Vi använder bara vad du har köpt. Aldrig hur du surfar."),
        ("I", "F"),
    ),
    Group(
        gettext_lazy("Frågor och statistik"),
        gettext_lazy("Så lär vi oss vad som kan bli bättre."),
        ("C", "D", "E", "J"),
    ),
)

ICONS = {
    Channel.EMAIL: "mail",
    Channel.SMS: "message-square",
    Channel.PHONE: "phone",
    Channel.POST: "mailbox",
    Channel.SOCIAL: "share-2",
    Channel.PUSH: "smartphone",
}

BY = {
    Channel.EMAIL: pgettext_lazy("by channel", "med e-post"),
    Channel.SMS: pgettext_lazy("by channel", "med sms"),
    Channel.PHONE: pgettext_lazy("by channel", "på telefon"),
    Channel.POST: pgettext_lazy("by channel", "med post"),
    Channel.SOCIAL: pgettext_lazy("by channel", "i sociala medier"),
    Channel.PUSH: pgettext_lazy("by channel", "som notiser i appen"),
}

# What a yes lets us do; completes "Säger du ja får vi ...".
LETS_US = {
    ("G", "email"): gettext_lazy("mejla nyheter till dig"),
    ("G", "sms"): gettext_lazy("skicka nyheter till dig med sms"),
    ("G", "push"): gettext_lazy("skicka nyheter till dig som notiser i appen"),
    ("G", "social"): gettext_lazy("visa våra nyheter för dig i sociala medier"),
    ("H", "email"): gettext_lazy("mejla erbjudanden till dig"),
    ("H", "sms"): gettext_lazy("skicka erbjudanden till dig med sms"),
    ("H", "phone"): gettext_lazy("ringa dig om erbjudanden"),
    ("H", "post"): gettext_lazy("skicka erbjudanden till dig med post"),
    ("I", "portal"): gettext_lazy("räkna ut tips från dina köp"),
    ("F", "internal"): gettext_lazy("gruppera dig efter dina köp och ge rabatter för din grupp"),
    ("C", "email"): gettext_lazy("mejla enkäter till dig"),
    ("C", "sms"): gettext_lazy("skicka enkäter till dig med sms"),
    ("C", "phone"): gettext_lazy("ringa dig och fråga vad du tycker"),
    ("C", "post"): gettext_lazy("skicka enkäter till dig med post"),
    ("D", "internal"): gettext_lazy("räkna med dina köp i statistik som inte pekar ut någon"),
    ("E", "web"): gettext_lazy("i 90 dagar spara vilka sidor du öppnar,"),
    ("J", "web"): gettext_lazy("räkna hur du använder sidorna, utan att se att det är du"),
}

# What a no does.
ENDS_WITH_NO = {
    ("G", "email"): gettext_lazy(
        "Säger du nej kommer inga fler mejl med nyheter, inte heller de som redan står i kö."
    ),
    ("G", "sms"): gettext_lazy(
        "Säger du nej kommer inga fler sms med nyheter, inte heller de som redan står i kö."
    ),
    ("G", "push"): gettext_lazy("Säger du nej kommer inga fler notiser i appen från och med nu."),
    ("G", "social"): gettext_lazy(
        "Säger du nej slutar vi direkt att använda din e-postadress för att visa dig våra nyheter."
    ),
    ("H", "email"): gettext_lazy(
        "Säger du nej kommer inga fler reklammejl, inte heller de som redan står i kö."
    ),
    ("H", "sms"): gettext_lazy(
        "Säger du nej kommer inga fler sms med reklam, inte heller de som redan står i kö."
    ),
    ("H", "phone"): gettext_lazy(
        "Säger du nej ringer vi inte mer om erbjudanden, från och med nu."
    ),
    ("H", "post"): gettext_lazy(
        "Säger du nej skickar vi inga fler brev med reklam. Ett brev som redan är postat kommer."
    ),
    ("I", "portal"): gettext_lazy(
        "Säger du nej visar vi från och med nu samma tips för dig som för alla andra."
    ),
    ("F", "internal"): gettext_lazy(
        "Säger du nej hör du från och med nu inte till någon grupp. Dina priser ändras inte."
    ),
    ("C", "email"): gettext_lazy(
        "Säger du nej kommer inga fler enkäter med e-post från och med nu."
    ),
    ("C", "sms"): gettext_lazy("Säger du nej kommer inga fler enkäter med sms från och med nu."),
    ("C", "phone"): gettext_lazy("Säger du nej ringer vi inte mer med frågor, från och med nu."),
    ("C", "post"): gettext_lazy(
        "Säger du nej skickar vi inga fler enkäter. En som redan är postad kommer."
    ),
    ("D", "internal"): gettext_lazy(
        "Säger du nej räknas dina köp inte med från och med nu. Bokföringen påverkas inte."
    ),
    ("E", "web"): gettext_lazy("Säger du nej slutar vi direkt att spara vilka sidor du öppnar."),
    ("J", "web"): gettext_lazy("Säger du nej räknas dina besök inte från och med nu."),
}

DONE_WITH = {
    Channel.EMAIL: gettext_lazy("Klart. Inga fler sådana mejl från nu."),
    Channel.SMS: gettext_lazy("Klart. Inga fler sådana sms från nu."),
    Channel.PHONE: gettext_lazy("Klart. Inga fler sådana samtal från nu."),
    Channel.POST: gettext_lazy("Klart. Inga fler sådana brev från nu."),
    Channel.PUSH: gettext_lazy("Klart. Inga fler sådana notiser från nu."),
}

UNREACHABLE = {
    Channel.EMAIL: gettext_lazy("Vi har ingen e-postadress till dig än."),
    Channel.SMS: gettext_lazy("Vi har inget mobilnummer till dig än."),
    Channel.PHONE: gettext_lazy("Vi har inget telefonnummer till dig än."),
    Channel.POST: gettext_lazy("Vi har ingen postadress till dig än."),
    Channel.SOCIAL: gettext_lazy("Vi har ingen e-postadress till dig än."),
}

ONLY_WHILE = {
    Ends.SUBSCRIPTION: gettext_lazy("Det gäller bara medan du prenumererar."),
    Ends.RELATION: gettext_lazy("Det gäller bara medan du är kund."),
    Ends.RELATION_OR_YES: gettext_lazy("Enkäter gäller den som är eller nyligen var kund."),
    Ends.WINDOW: gettext_lazy("Det har gått för lång tid sedan du var kund."),
    Ends.CONSENT: gettext_lazy("Det har gått för lång tid sedan du var kund."),
}


SAID = {
    Event.Kind.NOTICE_SERVED: gettext_lazy("Du fick veta hur vi använder dina uppgifter"),
    Event.Kind.SOFT_OPT_IN: gettext_lazy("Du fick veta att reklam kan komma, vid ett köp"),
    Event.Kind.CONSENT_GIVEN: gettext_lazy("Du sa ja till %(what)s"),
    Event.Kind.CONSENT_WITHDRAWN: gettext_lazy("Du tog tillbaka ditt ja till %(what)s"),
    Event.Kind.OBJECTED: gettext_lazy("Du sa nej till %(what)s"),
    Event.Kind.UNSUBSCRIBED: gettext_lazy("Du stoppade %(what)s med en länk"),
    Event.Kind.OBJECTED_TO_USE: gettext_lazy("Du sa nej till all användning för %(what)s"),
    Event.Kind.UNPROVEN: gettext_lazy("Ett äldre ja utan bevis, som vi inte använder: %(what)s"),
    Event.Kind.RESTRICTED: gettext_lazy("Du begränsade hur vi använder dina uppgifter"),
    Event.Kind.UNRESTRICTED: gettext_lazy("Begränsningen hävdes"),
}


# What is told of a yes that a no stands above.
NOT_COUNTED = gettext_lazy("Ett ja till %(what)s, som inte gäller")


def said(
    kind: str, purpose: str, channel: str, third_party: str = "", *, counts: bool = True
) -> str:
    """Say in words what an entry of the ledger tells; `counts` is false of an overruled yes."""
    words = SAID.get(Event.Kind(kind), Event.Kind(kind).label) if counts else NOT_COUNTED
    return str(words) % {"what": _about(purpose, channel, third_party)}


def holds(permission: str, since: date, *, declined: bool) -> str:
    """Say what holds of a choice; a yes is only what the person has said yes to."""
    day = {"day": full_day(since)}
    if declined:
        return _("Nej, sedan %(day)s") % day
    if permission == Standing.Permission.CONSENT:
        return _("Ja, sedan %(day)s") % day
    if permission == Standing.Permission.NONE:
        return _("Nej, ditt äldre ja saknar bevis")
    return _("Vi får sedan %(day)s, tills du säger nej") % day


def yes_button(permission: str, *, pressed: bool) -> str:
    """Name the button of a yes; pressed where nobody said yes, it tells only that we may."""
    if pressed and permission != Standing.Permission.CONSENT:
        return pgettext("what we are allowed to do", "Får")
    return _("Ja")


def _about(purpose: str, channel: str, third_party: str) -> str:
    known = purpose in BY_CODE
    what = _("”%(name)s”") % {"name": BY_CODE[purpose].name} if known else _("all reklam")
    if third_party:
        what = _("att %(company)s får dina uppgifter för egen reklam") % {"company": third_party}
    how = BY.get(Channel(channel)) if channel else None
    return f"{what} {how}" if how else what
