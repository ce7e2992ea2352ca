"""The purpose catalogue: what we may use data for, on which ground, how and for how long.

One row per purpose of `law.md` section 8, meant to be read as a table by a lawyer. A change here
needs a new policy version, or `consent.checks` refuses to start.
"""

import enum
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from customers.models.channels import Channel
from customers.personal_data import Category, mask


class Basis(enum.Enum):
    """Legal basis in Article 6(1) of the GDPR; the values are those of law.md section 8."""

    CONTRACT = "c"
    LEGAL_OBLIGATION = "l"
    LEGITIMATE_INTEREST = "f"
    CONSENT = "s"


class Permission(enum.Enum):
    """What a channel of a purpose asks of the person before it is open."""

    NONE = "none"
    OPT_OUT = "opt_out"
    SOFT_OPT_IN = "soft"  # or consent (MFL-02, RUL-14)
    CONSENT = "consent"


class Objection(enum.Enum):
    """What an objection does to a purpose."""

    NO_EFFECT = "no effect"
    STOPS = "stops"  # Article 21(1): always granted (OBJ-04)
    MARKETING = "marketing"  # Article 21(2): absolute, covers every channel (OBJ-01, RUL-30)


class Restricted(enum.Enum):
    """What a restriction leaves possible (RES-02, RES-04)."""

    STOPS = "stops"
    STORAGE = "storage"
    OWN_CASE = "own case"  # answers to the person's own case go on
    CLAIM = "claim"  # an existing debt is pursued
    LEGAL_NOTICE = "legal notice"  # notices the law demands go on


class Ends(enum.Enum):
    """The calendar rule by which a purpose ends for a person; `consent.records` computes them."""

    RELATION = "relation"  # RUL-12: live subscription or open order
    RELATION_OR_CASE = "relation or case"  # and while an own question is open
    RELATION_OR_YES = "relation or yes"  # RUL-10: and in the window, for who has said yes
    SUBSCRIPTION = "subscription"  # MFL-05: the last day of the last subscription
    WINDOW = "window"  # RET-02: three years after the end; prospects 12 months (RET-04)
    CONSENT = "consent"  # while the consent stands, never past the window (RUL-11)
    CREDIT = "credit"  # RUL-16: 30 days after the last use of the national identity number
    DEBT = "debt"  # CLM-01: until paid or time-barred
    BOOKKEEPING = "bookkeeping"  # BFL-01: every verification has its own date
    PROOF = "proof"  # RUL-25, RUL-27: five years after it stopped applying


MASTER = (
    Category.IDENTITY,
    Category.CONTACT,
    Category.ADDRESS,
    Category.ACCOUNT,
    Category.HISTORY,
    Category.STAFF_LOG,
)


@dataclass(frozen=True)
class Purpose:
    """A purpose, as the person is told of it and as the program obeys it."""

    code: str
    name: str | Promise
    why: str | Promise
    basis: Basis
    ends: Ends
    clause: str
    # What it keeps alive (field algebra), and what it may use beyond that.
    keeps: tuple[Category, ...] = ()
    uses: tuple[Category, ...] = ()
    channels: dict[Channel, Permission] = field(default_factory=dict)
    objection: Objection = Objection.NO_EFFECT
    restricted: Restricted = Restricted.STOPS
    minimum_age: int = 0
    named_third_party: bool = False
    # Whether it reads anything off the person's device (LEK-01).
    reads_device: bool = False
    # Whether nobody is ever taken out of it alone, only counted (D, RUL-08).
    only_counted: bool = False

    @property
    def mask(self) -> int:
        return mask(*self.keeps)

    @property
    def is_marketing(self) -> bool:
        return self.objection is Objection.MARKETING

    @property
    def is_balanced(self) -> bool:
        """Say whether it rests on an interest to weigh against the person's (LAW-02)."""
        return self.basis is Basis.LEGITIMATE_INTEREST


_POST_AND_MESSAGES = {
    Channel.EMAIL: Permission.NONE,
    Channel.SMS: Permission.NONE,
    Channel.PHONE: Permission.NONE,
    Channel.POST: Permission.NONE,
    Channel.PORTAL: Permission.NONE,
}

CATALOGUE: tuple[Purpose, ...] = (
    Purpose(
        code="A",
        name=_("Leverera det du köpt"),
        why=_("Vi behöver veta vem du är och vart paketet ska. Det följer av vårt avtal med dig."),
        basis=Basis.CONTRACT,
        ends=Ends.RELATION,
        clause="A",
        keeps=MASTER,
        uses=(Category.PURCHASES, Category.INVOICES),
        channels=_POST_AND_MESSAGES,
        restricted=Restricted.STORAGE,
    ),
    Purpose(
        code="A2",
        name=_("Pröva köp mot faktura"),
        why=_(
            "När du väljer faktura prövar vår fakturapartner köpet. Du kan alltid betala direkt."
        ),
        basis=Basis.LEGITIMATE_INTEREST,
        ends=Ends.CREDIT,
        clause="P07",
        keeps=(Category.NATIONAL_ID,),
        uses=(Category.IDENTITY, Category.ADDRESS),
        channels={Channel.INTERNAL: Permission.NONE},
        restricted=Restricted.STOPS,
        minimum_age=18,
    ),
    Purpose(
        code="B",
        name=_("Svara på dina frågor"),
        why=_("Vi behöver kunna hitta dig och svara när du hör av dig."),
        basis=Basis.CONTRACT,
        ends=Ends.RELATION_OR_CASE,
        clause="B",
        keeps=MASTER,
        uses=(Category.PURCHASES, Category.SUPPORT),
        channels=_POST_AND_MESSAGES,
        restricted=Restricted.OWN_CASE,
    ),
    Purpose(
        code="C",
        name=_("Enkäter"),
        why=_("Vi frågar ibland vad du tycker, så att vi vet vad som kan bli bättre."),
        basis=Basis.LEGITIMATE_INTEREST,
        ends=Ends.RELATION_OR_YES,
        clause="C",
        uses=(Category.IDENTITY, Category.CONTACT, Category.ADDRESS, Category.PURCHASES),
        channels={
            Channel.EMAIL: Permission.OPT_OUT,
            Channel.POST: Permission.OPT_OUT,
            Channel.PHONE: Permission.OPT_OUT,
            Channel.SMS: Permission.CONSENT,
        },
        objection=Objection.MARKETING,
        minimum_age=16,
    ),
    Purpose(
        code="D",
        name=_("Statistik som inte pekar ut någon"),
        why=_("Vi räknar hur många som köper vad. Ingen grupp är mindre än tio personer."),
        basis=Basis.LEGITIMATE_INTEREST,
        ends=Ends.RELATION,
        clause="D",
        uses=(Category.PURCHASES,),
        channels={Channel.INTERNAL: Permission.OPT_OUT},
        objection=Objection.STOPS,
        minimum_age=16,
        only_counted=True,
    ),
    Purpose(
        code="E",
        name=_("Hur du använder webbplatsen"),
        why=_("Säger du ja sparar vi vilka sidor du öppnar, i 90 dagar."),
        basis=Basis.CONSENT,
        ends=Ends.CONSENT,
        clause="E",
        channels={Channel.WEB: Permission.CONSENT},
        objection=Objection.STOPS,
        minimum_age=16,
        reads_device=True,
    ),
    Purpose(
        code="F",
        name=_("Rabatter för din grupp"),
        why=_("Vi grupperar kunder efter vad de köpt, så att erbjudanden passar bättre."),
        basis=Basis.LEGITIMATE_INTEREST,
        ends=Ends.WINDOW,
        clause="F",
        keeps=MASTER,
        uses=(Category.PURCHASES,),
        channels={Channel.INTERNAL: Permission.OPT_OUT},
        objection=Objection.MARKETING,
        minimum_age=18,
    ),
    Purpose(
        code="G",
        name=_("Nyheter medan du är kund"),
        why=_("Vi berättar om sådant som liknar det du redan köper, så länge du prenumererar."),
        basis=Basis.LEGITIMATE_INTEREST,
        ends=Ends.SUBSCRIPTION,
        clause="G",
        keeps=MASTER,
        channels={
            Channel.EMAIL: Permission.SOFT_OPT_IN,
            Channel.SMS: Permission.SOFT_OPT_IN,
            Channel.PUSH: Permission.CONSENT,
            Channel.SOCIAL: Permission.CONSENT,
        },
        objection=Objection.MARKETING,
        minimum_age=18,
    ),
    Purpose(
        code="H",
        name=_("Erbjudanden från oss"),
        why=_("Vi vill kunna berätta om erbjudanden. Du kan säga nej när du vill."),
        basis=Basis.LEGITIMATE_INTEREST,
        ends=Ends.WINDOW,
        clause="H",
        keeps=MASTER,
        channels={
            Channel.EMAIL: Permission.SOFT_OPT_IN,
            Channel.SMS: Permission.SOFT_OPT_IN,
            Channel.PHONE: Permission.OPT_OUT,
            Channel.POST: Permission.OPT_OUT,
        },
        objection=Objection.MARKETING,
        minimum_age=18,
    ),
    Purpose(
        code="I",
        name=_("Tips efter dina köp"),
        why=_("Vi räknar ut tips från vad du och andra med liknande köp har valt."),
        basis=Basis.LEGITIMATE_INTEREST,
        ends=Ends.WINDOW,
        clause="I",
        uses=(Category.PURCHASES,),
        channels={Channel.PORTAL: Permission.OPT_OUT},
        objection=Objection.MARKETING,
        minimum_age=18,
    ),
    Purpose(
        code="J",
        name=_("Göra webbplatsen bättre"),
        why=_("Vi räknar hur sidorna används, utan att se vem som gör vad."),
        basis=Basis.LEGITIMATE_INTEREST,
        ends=Ends.RELATION,
        clause="J",
        channels={Channel.WEB: Permission.OPT_OUT},
        objection=Objection.STOPS,
        minimum_age=16,
        only_counted=True,
    ),
    Purpose(
        code="K",
        name=_("Viktiga besked"),
        why=_("Vi måste kunna berätta när villkor eller regler för dina uppgifter ändras."),
        basis=Basis.CONTRACT,
        ends=Ends.RELATION,
        clause="K",
        keeps=MASTER,
        channels={
            Channel.EMAIL: Permission.NONE,
            Channel.SMS: Permission.NONE,
            Channel.POST: Permission.NONE,
            Channel.PORTAL: Permission.NONE,
        },
        restricted=Restricted.LEGAL_NOTICE,
    ),
    Purpose(
        code="L",
        name=_("Bokföring"),
        why=_("Bokföringslagen kräver att vi sparar fakturor och betalningar i sju år."),
        basis=Basis.LEGAL_OBLIGATION,
        ends=Ends.BOOKKEEPING,
        clause="P24",
        uses=(Category.INVOICES,),
        restricted=Restricted.STORAGE,
    ),
    Purpose(
        code="L2",
        name=_("Obetalda fakturor"),
        why=_("Så länge en faktura är obetald behöver vi kunna nå dig om den."),
        basis=Basis.LEGAL_OBLIGATION,
        ends=Ends.DEBT,
        clause="P24",
        keeps=(*MASTER, Category.NATIONAL_ID),
        uses=(Category.INVOICES,),
        channels={Channel.EMAIL: Permission.NONE, Channel.POST: Permission.NONE},
        restricted=Restricted.CLAIM,
    ),
    Purpose(
        code="P",
        name=_("Lämna ut till ett annat företag"),
        why=_(
            "Inget företag får dina uppgifter för egen reklam om du inte säger ja till just det."
        ),
        basis=Basis.CONSENT,
        ends=Ends.CONSENT,
        clause="P15",
        uses=(Category.IDENTITY, Category.CONTACT, Category.ADDRESS),
        channels={
            Channel.EMAIL: Permission.CONSENT,
            Channel.SMS: Permission.CONSENT,
            Channel.PHONE: Permission.CONSENT,
            Channel.POST: Permission.CONSENT,
        },
        objection=Objection.MARKETING,
        minimum_age=18,
        named_third_party=True,
    ),
    Purpose(
        code="R",
        name=_("Kunna visa att vi gjort rätt"),
        why=_("Vi måste kunna visa vad du har sagt ja och nej till, och vad vi har svarat dig."),
        basis=Basis.LEGAL_OBLIGATION,
        ends=Ends.PROOF,
        clause="P25",
        keeps=(Category.PROOF,),
        restricted=Restricted.STORAGE,
    ),
)

BY_CODE = {purpose.code: purpose for purpose in CATALOGUE}
CODES = tuple((purpose.code, purpose.name) for purpose in CATALOGUE)
BALANCED = tuple((purpose.code, purpose.name) for purpose in CATALOGUE if purpose.is_balanced)


@dataclass(frozen=True)
class Use:
    """One purpose by one channel, for one named third party where the purpose asks for it.

    `promotes`: what is sent holds an offer, whatever purpose it is sent for (OBJ-03).
    """

    purpose: str
    channel: str
    third_party: str = ""
    promotes: bool = False

    def __post_init__(self) -> None:
        if self.purpose not in BY_CODE:
            raise ValueError(f'There is no purpose "{self.purpose}" in the catalogue.')
        purpose = BY_CODE[self.purpose]
        if self.channel not in purpose.channels:
            raise ValueError(f'Purpose {self.purpose} does not use the channel "{self.channel}".')
        if purpose.named_third_party != bool(self.third_party):
            raise ValueError(f"Purpose {self.purpose} and the named third party do not fit.")

    @property
    def of(self) -> Purpose:
        return BY_CODE[self.purpose]

    @property
    def permission(self) -> Permission:
        return self.of.channels[Channel(self.channel)]


def chosen_uses() -> Iterator[Use]:
    """Yield every use that a person decides about, partners apart."""
    for purpose in CATALOGUE:
        if not purpose.named_third_party:
            for channel, permission in purpose.channels.items():
                if permission is not Permission.NONE:
                    yield Use(purpose.code, channel.value)


def catalogue_hash() -> str:
    """Return a hash of everything in the catalogue that a policy version must tell of (INF-05)."""
    lines = []
    for p in CATALOGUE:
        channels = ",".join(f"{c.value}:{a.value}" for c, a in p.channels.items())
        lines.append(
            f"{p.code}|{p.basis.value}|{p.ends.value}|{p.clause}|{p.mask}|{mask(*p.uses)}|"
            f"{channels}|{p.objection.value}|{p.restricted.value}|{p.minimum_age}|"
            f"{p.named_third_party:d}{p.reads_device:d}{p.only_counted:d}"
        )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
