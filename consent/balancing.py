"""Weighing our interest against the person's, for each purpose that rests on it (LAW-02).

The texts are proposals: somebody owns one, somebody else approves it, and until then the gate is
shut.
"""

from dataclasses import dataclass
from datetime import date

from consent.groundwork import REVIEW_MONTHS, BalancingRecord
from consent.purposes import BALANCED
from customers.dates import add_months, today
from customers.models import User


class BalancingError(ValueError):
    """The record cannot be; the message says what to do."""


@dataclass(frozen=True)
class Texts:
    """What a balance is made of."""

    interest: str
    necessity: str
    balance: str


PROPOSALS = {
    "A2": Texts(
        "Vi vill kunna sälja mot faktura utan att stå för köp som inte blir betalda.",
        "Utan en prövning vore faktura för riskabelt. Prövningen görs bara när någon själv har valt"
        " faktura, en gång för varje beställning, och av den uppgift som behövs: personnumret.",
        "Den som inte vill prövas betalar direkt i stället. Ett nej från fakturapartnern får en"
        " förklaring och kan prövas om av en människa. Personnumret tas bort efter 30 dagar."
        " Vårt intresse väger tyngre.",
    ),
    "C": Texts(
        "Vi vill veta vad kunderna tycker, för att bli bättre på det de betalar för.",
        "Bara den som är kund kan svara på hur det är att vara det. Vi frågar sällan, och ett svar"
        " går att knyta till den som svarade i högst sex månader.",
        "En kund kan räkna med en fråga då och då. Ett nej gäller direkt och för all framtid, och"
        " den som är under 18 eller inte längre är kund frågas bara efter ett ja. Vårt intresse"
        " väger tyngre.",
    ),
    "D": Texts(
        "Vi behöver veta hur mycket som säljs av vad, för att köpa in och planera.",
        "Det räcker med antal. Ingen grupp under tio personer visas, och inget underlag lämnas ut"
        " där en person går att se.",
        "Resultatet säger inget om någon enskild, och den som ändå säger nej räknas inte med nästa"
        " gång. Vårt intresse väger tyngre.",
    ),
    "F": Texts(
        "Vi vill att ett erbjudande ska passa den som får det, och inte skicka mer än så.",
        "Grupperna görs bara av köp hos oss: aldrig av hur någon surfar, av register eller av"
        " kreditprövningar. De räknas om minst en gång om året.",
        "Att en butik ser till vad man köpt där är väntat. Den som säger nej tas ur grupperna"
        " direkt, och barn och personer med skyddade uppgifter är aldrig med. Vårt intresse väger"
        " tyngre.",
    ),
    "G": Texts(
        "Vi vill kunna berätta för våra prenumeranter om sådant som liknar det de redan köper.",
        "Mejl och sms når dem på det sätt de själva har gett oss. Vi använder namn, kontaktuppgift"
        " och det köp som visar vad som liknar.",
        "Marknadsföringslagen tillåter det när kunden fick veta det vid köpet och kunde säga nej,"
        " och varje utskick har en väg ut. Det slutar när prenumerationen gör det. Vårt intresse"
        " väger tyngre.",
    ),
    "H": Texts(
        "Vi vill kunna berätta om våra erbjudanden för den som är eller nyligen har varit kund.",
        "Brev, samtal, mejl och sms är de vägar som når fram. Vi använder bara namn och den uppgift"
        " som vägen kräver, och stämmer av mot NIX före brev och samtal.",
        "Den som har handlat hos oss kan räkna med att höra av oss, men inte hur länge som helst:"
        " ett år med mejl och sms, högst tre år i övrigt. Ett nej gäller direkt, på en väg eller"
        " på alla. Vårt intresse väger tyngre.",
    ),
    "I": Texts(
        "Vi vill visa varor som brukar passa ihop med dem någon redan har köpt.",
        "Tipsen räknas ut av köp när de ska visas och sparas inte. Hur någon surfar används inte.",
        "Det syns bara för personen själv, på Min sida, med en förklaring till varför och en"
        " strömbrytare bredvid. Vårt intresse väger tyngre.",
    ),
    "J": Texts(
        "Vi vill att webbplatsen ska vara lätt att använda och hitta det som inte fungerar.",
        "Det räcker att räkna vad servern ändå ser. Inget läses eller sparas i besökarens enhet,"
        " och ingen besökare följs från sida till sida.",
        "Det påverkar ingen enskild, och den som säger nej räknas inte med. Vårt intresse väger"
        " tyngre.",
    ),
}


def record_balance(
    purpose: str,
    *,
    owner: User,
    interest: str,
    necessity: str,
    balance: str,
    approved_by: User | None = None,
    decided_on: date | None = None,
    review_on: date | None = None,
) -> BalancingRecord:
    """Write a balancing record; it opens nothing until somebody else has approved it."""
    day = decided_on or today()
    latest = add_months(day, REVIEW_MONTHS)
    review = review_on or latest
    if purpose not in dict(BALANCED):
        raise BalancingError(f'Purpose "{purpose}" does not rest on an interest; none is weighed.')
    if not all(text.strip() for text in (interest, necessity, balance)):
        raise BalancingError("Interest, necessity and balance must all be written out.")
    if day > today():
        raise BalancingError("The decision cannot lie ahead; give a day up to and including today.")
    if not day <= review <= latest:
        raise BalancingError(f"The review is due within 24 months; give a day up to {latest}.")
    if approved_by is not None and approved_by.pk == owner.pk:
        raise BalancingError("Who owns a record cannot approve it; ask somebody else to.")
    return BalancingRecord.objects.create(
        purpose=purpose,
        interest=interest,
        necessity=necessity,
        balance=balance,
        owner=owner,
        approved_by=approved_by,
        decided_on=day,
        review_on=review,
    )


def approve_balance(proposal: BalancingRecord, *, by: User) -> BalancingRecord:
    """Approve a proposal as it stands, from today; the proposal itself stays as it was written."""
    if proposal.approved_by_id is not None:
        raise BalancingError("The record is approved already.")
    return record_balance(
        proposal.purpose,
        owner=proposal.owner,
        interest=proposal.interest,
        necessity=proposal.necessity,
        balance=proposal.balance,
        approved_by=by,
    )


def propose_missing(owner: User) -> list[BalancingRecord]:
    """Write our proposal for every purpose that has no record at all."""
    known = set(BalancingRecord.objects.values_list("purpose", flat=True))
    return [
        record_balance(purpose, owner=owner, **vars(texts))
        for purpose, texts in PROPOSALS.items()
        if purpose not in known
    ]
