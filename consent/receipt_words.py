"""The words of a receipt: what an act means and how it is taken back, for every kind of entry."""

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from consent.choice_words import BY, LETS_US
from consent.models import Authority, Event
from consent.purposes import BY_CODE
from customers.models.channels import Channel
from customers.models.people import Restriction

Kind = Event.Kind

WHOSE_WORD = {
    Authority.PERSON: gettext_lazy("Ditt eget"),
    Authority.STAFF: gettext_lazy("Vårt"),
    Authority.LAW: gettext_lazy("Lagens"),
    Authority.SYSTEM: gettext_lazy("Vårt, gjort av systemet"),
}
GROUNDS = {
    Restriction.CONTESTED: gettext_lazy("Du säger att uppgifterna inte stämmer"),
    Restriction.UNLAWFUL: gettext_lazy("Vi får inte använda uppgifterna, men du vill ha dem kvar"),
    Restriction.CLAIM: gettext_lazy("Du behöver uppgifterna för ett rättsligt krav"),
    Restriction.OBJECTION: gettext_lazy("Vi prövar en invändning från dig"),
    Restriction.VOLUNTARY: gettext_lazy("Du har själv bett om det"),
}
# Of a yes that a no stands above.
NOTED = gettext_lazy("Vi har antecknat ditt ja, men det ändrar inget.")
PROOF_KEPT = gettext_lazy("Vi sparar det här som bevis i fem år efter att det har slutat gälla.")


def act(event: Event) -> str:
    """Complete "Vi får ...": what the use that an entry speaks of lets us do."""
    words = LETS_US.get((event.purpose, event.channel))
    if words:
        return str(words).rstrip(",")
    what = about(event)
    if event.third_party:
        return _("lämna dina uppgifter till %(company)s för %(what)s") % {
            "company": event.third_party,
            "what": what,
        }
    return _("använda dina uppgifter till %(what)s") % {"what": what}


def about(event: Event) -> str:
    """Name the purpose of an entry, and the channel where it speaks of one."""
    known = event.purpose in BY_CODE
    name = _("”%(name)s”") % {"name": BY_CODE[event.purpose].name} if known else _("reklam")
    how = BY.get(Channel(event.channel)) if event.channel else None
    return f"{name} {how}" if how else str(name)


_FROM_NOW = gettext_lazy("Ditt nej gällde direkt och gäller tills du själv säger ja.")
_MEANING = {
    Kind.CONSENT_GIVEN: (
        gettext_lazy("Med ditt ja får %(company)s %(act)s."),
        gettext_lazy("Ditt ja gäller bara det, och inget annat följer med det."),
    ),
    Kind.CONSENT_WITHDRAWN: (
        gettext_lazy("Du tog tillbaka ditt ja. Vi får inte längre %(act)s."),
        gettext_lazy("Det gällde direkt, också för det som redan stod i kö."),
        gettext_lazy("Det vi gjorde medan ditt ja gällde var tillåtet."),
    ),
    Kind.OBJECTED_TO_USE: (
        gettext_lazy("Vi använder inte längre dina uppgifter till %(what)s, på något sätt."),
        gettext_lazy("Din invändning gällde direkt. Du behövde inte ange några skäl."),
    ),
    Kind.UNPROVEN: (
        gettext_lazy("Vi har hört att du har sagt ja till %(what)s, men vi kan inte visa det."),
        gettext_lazy("Därför räknar vi det inte som ett ja."),
    ),
    Kind.RESTRICTED: (
        gettext_lazy("Vi sparar dina uppgifter men använder dem inte till annat än det du ber om."),
        gettext_lazy("Det lagen kräver, som bokföring och viktiga besked, gör vi ändå."),
    ),
    Kind.UNRESTRICTED: (
        gettext_lazy("Vi får använda dina uppgifter igen, så som du har bestämt under Mina val."),
        gettext_lazy("Alla nej du har sagt gäller som förut."),
    ),
    Kind.SOFT_OPT_IN: (
        gettext_lazy(
            "När du köpte av oss fick du veta att vi kan mejla och skicka sms om sådant som liknar "
            "det du köpte."
        ),
        gettext_lazy("Du kunde säga nej redan då, och du kan säga nej i varje utskick."),
        gettext_lazy("Det är inget ja från dig. Lagen tillåter det tills du säger nej."),
    ),
    Kind.NOTICE_SERVED: (
        gettext_lazy(
            "Du fick veta vem som ansvarar för dina uppgifter, vad de används till och vad du kan "
            "kräva."
        ),
        gettext_lazy("Det är ingen fråga och inget ja. Du har inte lovat något."),
    ),
}
# Where only one address was given at the sale.
_SOLD_BY = {
    Channel.EMAIL: gettext_lazy(
        "När du köpte av oss fick du veta att vi kan mejla om sådant som liknar det du köpte."
    ),
    Channel.SMS: gettext_lazy(
        "När du köpte av oss fick du veta att vi kan skicka sms om sådant som liknar det du köpte."
    ),
}
_OWN_LIMIT = (
    gettext_lazy(
        "Vi använder dina uppgifter bara till det som behövs: leveranser, fakturor, svar och "
        "viktiga besked."
    ),
    gettext_lazy("Reklam, enkäter, statistik, tips och grupper är stoppade."),
)
_NO_TO_ONE_USE = (gettext_lazy("Vi får inte %(act)s."), _FROM_NOW)
_NO_TO_A_CHANNEL = (gettext_lazy("Du får ingen %(what)s från oss."), _FROM_NOW)
_NO_TO_ALL = (
    gettext_lazy("Du får ingen reklam från oss, inte på något sätt."),
    _FROM_NOW,
    gettext_lazy("Fakturor, leveransbesked och svar på dina frågor får du ändå."),
)


def meaning(event: Event) -> list[str]:
    """Say what an act means, in whole sentences."""
    words = {"act": act(event), "what": about(event), "company": settings.CONTROLLER["name"]}
    sentences: tuple[str | Promise, ...]
    if event.ground == Restriction.VOLUNTARY:
        sentences = _OWN_LIMIT
    elif event.kind == Kind.SOFT_OPT_IN and event.channel:
        sentences = (_SOLD_BY[Channel(event.channel)], *_MEANING[Kind.SOFT_OPT_IN][1:])
    elif event.kind in _MEANING:
        sentences = _MEANING[Kind(event.kind)]
    elif event.purpose:
        sentences = _NO_TO_ONE_USE
    else:
        sentences = _NO_TO_A_CHANNEL if event.channel else _NO_TO_ALL
    return [str(sentence) % words for sentence in sentences]


def undo(event: Event, *, counts: bool = True) -> str:
    """Say how an act is taken back; `counts` is false of a yes that a no stands above."""
    match event.kind:
        case Kind.CONSENT_GIVEN if not counts:
            return _("Vill du att det ska gälla säger du ja under Mina val.")
        case Kind.CONSENT_GIVEN:
            return _(
                "Du tar tillbaka ditt ja när du vill under Mina val, med ett klick. Det går också "
                "i varje utskick och hos kundservice. Det gäller direkt."
            )
        case Kind.UNPROVEN:
            return _("Vill du att det ska gälla säger du ja under Mina val.")
        case Kind.RESTRICTED if event.ground == Restriction.VOLUNTARY:
            return _("Du häver begränsningen själv när du vill, på Min sida eller hos kundservice.")
        case Kind.RESTRICTED:
            return _("Vi säger till dig innan begränsningen hävs.")
        case Kind.UNRESTRICTED:
            return _("Du kan när du vill be oss att begränsa användningen igen.")
        case Kind.NOTICE_SERVED | Kind.SOFT_OPT_IN:
            return _("Vill du inte ha reklam säger du nej under Mina val. Det gäller direkt.")
        case _:
            return _("Ändrar du dig säger du ja under Mina val. Vi frågar inte igen.")


def holds_until(event: Event, *, counts: bool = True) -> str:
    """Say how long an act holds by itself; see `undo`."""
    match event.kind:
        case Kind.CONSENT_GIVEN if not counts:
            return _("Det gäller inte")
        case Kind.CONSENT_GIVEN:
            return _("Tills du tar tillbaka det, eller tiden i orden är slut")
        case Kind.RESTRICTED:
            return _("Tills begränsningen hävs")
        case Kind.UNPROVEN:
            return _("Det gäller inte")
        case Kind.NOTICE_SERVED | Kind.SOFT_OPT_IN:
            return _("Tills du säger nej")
        case Kind.UNRESTRICTED:
            return _("Tills användningen begränsas igen")
        case _:
            return _("Tills du själv säger ja")
