"""How long: one line per category of data, to be read beside section 9 of `law.md`.

Who is due is decided by the processing records and by each row's own `retain_until`; this table
says which rule that is, in words for the receipt and for people.
"""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from customers.personal_data import Category


@dataclass(frozen=True)
class Period:
    """The retention of one category: its rule, when the clock starts, how long, and why."""

    category: Category
    rule: str
    clause: str  # of the policy, by its number in policy.md
    starts: str | Promise
    lasts: str | Promise
    why: str | Promise


SCHEDULE: tuple[Period, ...] = (
    Period(
        Category.IDENTITY,
        "RET-02",
        "P22",
        _("när du slutar vara kund"),
        _("högst tre år, kortare om du säger nej till reklam"),
        _("Vi behöver veta vem du är medan du är kund, och får sedan skicka erbjudanden en tid."),
    ),
    Period(
        Category.CONTACT,
        "RET-02",
        "P22",
        _("när du slutar vara kund"),
        _("högst tre år, kortare om du säger nej till reklam"),
        _("Vi behöver kunna nå dig medan du är kund, och får sedan skicka erbjudanden en tid."),
    ),
    Period(
        Category.ADDRESS,
        "RET-02",
        "P22",
        _("när du slutar vara kund"),
        _("högst tre år, kortare om du säger nej till reklam"),
        _("Vi behöver veta vart paketen ska, och får sedan skicka erbjudanden en tid."),
    ),
    Period(
        Category.NATIONAL_ID,
        "RUL-16",
        "P23",
        _("när vi senast behövde det för ett köp mot faktura"),
        _("30 dagar"),
        _("Personnumret behövs bara för att pröva köp mot faktura."),
    ),
    Period(
        Category.ACCOUNT,
        "RET-02",
        "P22",
        _("när dina kontaktuppgifter raderas"),
        _("samma natt"),
        _("Inloggningen följer dina kontaktuppgifter."),
    ),
    Period(
        Category.HISTORY,
        "RUL-24",
        "P20",
        _("när uppgiften ändrades"),
        _("24 månader, eller tills uppgiften själv raderas"),
        _("Vi behöver kunna visa vem som ändrade vad."),
    ),
    Period(
        Category.PURCHASES,
        "CLM-02",
        "P20",
        _("när du fick leveransen eller prenumerationen slutade"),
        _("tre år"),
        _("Så länge kan du reklamera det du har köpt."),
    ),
    Period(
        Category.INVOICES,
        "BFL-01",
        "P24",
        _("när räkenskapsåret slutar"),
        _("till och med den 31 december det sjunde året därefter"),
        _("Bokföringslagen kräver det."),
    ),
    Period(
        Category.SUPPORT,
        "RUL-23",
        "P20",
        _("när frågan är besvarad"),
        _("12 månader, en reklamation tre år från leveransen"),
        _("Så att du slipper börja om när du hör av dig igen."),
    ),
    Period(
        Category.PROOF,
        "RUL-27",
        "P20",
        _("när valet slutar gälla"),
        _("fem år"),
        _("Vi måste kunna visa vad du har sagt ja och nej till."),
    ),
    Period(
        Category.MESSAGES,
        "RUL-26",
        "P20",
        _("när meddelandet skickades"),
        _("texten raderas direkt, noteringen efter 24 månader"),
        _("Vi behöver kunna visa vad vi har skickat."),
    ),
    Period(
        Category.CASES,
        "DSR-06",
        "P20",
        _("när ärendet är avslutat"),
        _("fem år"),
        _("Vi måste kunna visa att du fick svar i tid."),
    ),
    Period(
        Category.RECEIPTS,
        "ERA-08",
        "P20",
        _("när raderingen gjordes"),
        _("fem år"),
        _("Vi måste kunna visa att vi har raderat. Kvittot säger inte vem det gällde."),
    ),
    Period(
        Category.STAFF_LOG,
        "RUL-24",
        "P20",
        _("när dina kontaktuppgifter raderas"),
        _("samma natt"),
        _("Vi behöver kunna visa vad vi har ändrat."),
    ),
    Period(
        Category.ACCESS_LOG,
        "ACC-05",
        "P20",
        _("när någon hos oss tittade"),
        _("24 månader"),
        _("Så att du kan få veta när vi har tittat på dina uppgifter, och varför."),
    ),
    Period(
        Category.DISCLOSURES,
        "RUL-21",
        "P16",
        _("när uppgifterna lämnades ut"),
        _("tre år, längre så länge dina kontaktuppgifter finns kvar"),
        _(
            "Så att du kan få veta vem som har fått dina uppgifter, och de kan få veta "
            "att du rättat."
        ),
    ),
    Period(
        Category.RETURNED_EMAIL,
        "RUL-28",
        "P22",
        _("när det vi skickade kom tillbaka"),
        _("till natten därpå, eller så länge du är kund eller något är öppet"),
        _("En adress som inte fungerar behöver vi bara för det vi måste skicka till dig."),
    ),
    Period(
        Category.RETURNED_PHONE,
        "RUL-28",
        "P22",
        _("när numret inte gick att nå"),
        _("till natten därpå, eller så länge du är kund eller något är öppet"),
        _("Ett nummer som inte fungerar behöver vi bara för det vi måste säga till dig."),
    ),
    Period(
        Category.RETURNED_HOME,
        "RUL-28",
        "P22",
        _("när det vi skickade kom tillbaka"),
        _("till natten därpå, eller så länge du är kund eller något är öppet"),
        _("En adress som inte fungerar behöver vi bara för det vi måste skicka till dig."),
    ),
    Period(
        Category.SHELL,
        "RUL-01",
        "P20",
        _("när allt annat är raderat"),
        _("samma natt"),
        _("Kundnumret håller ihop det som måste stå kvar."),
    ),
)

PERIOD = {period.category: period for period in SCHEDULE}
