"""A night in the words of the staff pages: its plan, what it took, what it left, who decided."""

from collections.abc import Iterator
from typing import Any

from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from customers import words
from customers.models import User
from customers.personal_data import Category
from retention.models import Hold, Release, Run
from retention.schedule import PERIOD
from retention.wiping import wipe_after

Lines = list[tuple[str, str]]


def night_context(run: Run) -> dict[str, Any]:
    """Return what the page of a night shows."""
    return {
        "answer": answer(run),
        "wiped": wiped(run),
        "plan": expected_plan(run),
        "taken": list(_taken(run)),
        "planned": list(planned(run)),
        "left": list(_left(run)),
        "swept": _swept(run),
        "releases": list(_releases(run)),
        "seal": _seal(run),
    }


def answer(run: Run) -> str:
    """Say how it went, in a sentence or two."""
    people = {"people": capfirst(in_people(run.people)), "aside": words.figures(run.set_aside)}
    sentences = {
        Run.Status.RUNNING: _("Natten pågår."),
        Run.Status.DONE: _("Natten är klar. %(people)s förlorade något."),
        Run.Status.PARTIAL: _(
            "Natten är delvis klar. %(people)s förlorade något, %(aside)s gick inte att "
            "radera och prövas varje natt."
        ),
        Run.Status.STOPPED: _(
            "Natten är stoppad. Inget är raderat, och senare nätter väntar på den."
        ),
        Run.Status.SKIPPED: _(
            "Natten hoppades över, för gallringen var avstängd. %(people)s hann förlora något "
            "innan dess."
        ),
    }
    return sentences[Run.Status(run.status)] % people


def wiped(run: Run) -> str:
    """Say whether what it took can still be read in the database's files (F19)."""
    if run.certificate is None:
        return ""
    wipe = wipe_after(run)
    if wipe is None or wipe.finished_at is None:
        return _(
            "Det som raderades kan ännu läsas i databasens filer. Det skrivs över så snart ingen "
            "äldre läsning pågår."
        )
    told = [table for table in wipe.tables.values() if "seconds" in table]
    return _(
        "Det som raderades är överskrivet i databasens filer %(when)s: %(tables)s tabeller på "
        "%(seconds)s sekunder."
    ) % {
        "when": words.moment(wipe.finished_at),
        "tables": words.figures(len(told)),
        "seconds": words.figures(round(sum(table["seconds"] for table in told))),
    }


def in_people(number: int) -> str:
    """Say how many people."""
    said = ngettext("en person", "%(n)s personer", number)
    return said % {"n": words.figures(number)}


def planned(run: Run) -> Iterator[dict[str, str]]:
    """Yield what a night that is not over would take, per category."""
    if run.certificate is not None:
        return
    for number, (people, rows) in (run.plan_lines or {}).items():
        period = PERIOD[Category(int(number))]
        yield {
            "what": str(period.category.for_staff),
            "rule": f"{period.rule}, {period.clause}",
            "people": words.figures(people),
            "rows": words.figures(rows),
        }


def expected_plan(run: Run) -> Lines:
    """Return the plan beside what was forecast."""
    if run.planned_at is None:
        return []
    lines = [
        (_("Planerad"), words.moment(run.planned_at)),
        (_("Personer i planen"), words.figures(run.planned_people)),
        (_("Väntade för en vecka sedan"), words.figures(run.expected_people)),
        (_("Tas utan fråga, högst"), words.figures(run.most_people)),
        (_("Planens avtryck"), run.plan_hash),
    ]
    if run.plans > 1:
        lines.append((_("Ändrad och planerad på nytt"), words.figures(run.plans - 1)))
    if run.certificate is not None:
        as_planned = run.certificate["done"]["as_planned"]
        lines.append((_("Gjord som planerat"), _("Ja") if as_planned else _("Nej, se kvittona")))
    return lines


def _taken(run: Run) -> Iterator[dict[str, str]]:
    """Yield what went, per category, by its rule and clause."""
    for line in run.certificate["done"]["by_rule"] if run.certificate else ():
        category = Category[line["category"]]
        yield {
            "what": str(PERIOD[category].category.for_staff),
            "rule": f"{line['rule']}, {line['clause']}",
            "people": words.figures(line["people"]),
            "rows": words.figures(line["rows"]),
        }


def _left(run: Run) -> Iterator[tuple[str, str]]:
    reasons = {
        "restriction": _("Begränsad behandling (RUL-18)"),
        "set aside": _("Databasen släppte inte raderna"),
        "due anew": _("Tillkom under natten"),
    }
    for reason, people in (run.certificate["left"] if run.certificate else {}).items():
        ground = reason.removeprefix("hold: ")
        said = reasons.get(reason) or _("Spärr: %(ground)s") % {"ground": Hold.Ground(ground).label}
        yield said, words.figures(people)


def _swept(run: Run) -> Lines:
    found = run.certificate["done"]["belonging_to_nobody"] if run.certificate else {}
    return [(table, words.figures(rows)) for table, rows in found.items()]


def _releases(run: Run) -> Iterator[dict[str, str]]:
    for release in Release.objects.filter(run=run).order_by("at"):
        by = User.objects.filter(pk=release.by_id).values_list("email", flat=True).first()
        yield {
            "by": by or "",
            "at": words.moment(release.at),
            "reason": release.reason,
            "plan": release.plan_hash,
        }


def _seal(run: Run) -> Lines:
    if run.certificate is None:
        return []
    certificate = run.certificate
    return [
        (_("Tog"), _("%(n)s sekunder") % {"n": words.figures(certificate["seconds"])}),
        (_("Kvittonas avtryck"), certificate["done"]["digest"]),
        (_("Ändamålens avtryck"), certificate["catalogue"]),
        (_("Policyversion"), certificate["policy_version"]),
        (_("Nyckel"), certificate["proof"]["key_id"]),
        (_("Signatur"), certificate["proof"]["signature"]),
    ]
