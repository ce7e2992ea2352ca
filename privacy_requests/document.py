"""The extract for machines: a JSON document by `extract.schema.json`."""

from dataclasses import asdict
from typing import Any

from django.utils import translation

from consent.purposes import BY_CODE
from customers.dates import STOCKHOLM, stockholm_date
from customers.words import controller
from disclosures.telling import Received
from privacy_requests import telling
from privacy_requests.extract import Content
from privacy_requests.saying import ARTICLE, BASIS, said
from retention.schedule import PERIOD

FORMAT = "dentalclean-extract-1"


def as_json(content: Content) -> dict[str, Any]:
    """Return the extract as data, in the person's language."""
    with translation.override(content.language):
        got = telling.received(content)
        return {
            "format": FORMAT,
            "language": content.language,
            "snapshot_at": content.taken_at.astimezone(STOCKHOLM).isoformat(),
            "policy_version": content.policy_version,
            "controller": controller(),
            "customer_number": content.customer.number,
            "processed": True,
            "purposes": list(_purposes(content)),
            "categories": list(_categories(content)),
            "recipients": list(_recipients(got)),
            "recipients_note": telling.recipients(got),
            "transfers": [
                {"recipient": one.name, "country": where, "safeguard": tool}
                for one in got
                for where, tool in one.transfers
            ],
            "transfers_note": telling.transfers(got),
            "sources": [
                {"what": what, "from": source, "how": how, "on": on.isoformat()}
                for what, source, how, on in telling.sources(content)
            ],
            "automated_decisions": [],
            "automated_decisions_note": telling.automated_decisions(content),
            "profiling": [asdict(entry) for entry in telling.profiling(content)],
            "profiling_note": telling.profiling_note(),
            "choices": list(_choices(content)),
            "rights": [{"right": right, "how": how} for right, how in telling.rights()],
            "complaint": telling.complaint(),
            "withheld": [
                {
                    "table": entry.table,
                    "column": entry.column,
                    "label": entry.label,
                    "reason": telling.withheld(entry.why),
                }
                for entry in content.withheld
            ],
            "tables": list(_tables(content)),
        }


def _purposes(content: Content) -> Any:
    held = {kept.category for kept in content.kept}
    for record in content.records:
        purpose = BY_CODE[record.purpose]
        yield {
            "code": purpose.code,
            "name": str(purpose.name),
            "why": str(purpose.why),
            "categories": telling.used_for(record, held),
            "basis": str(BASIS[record.basis]),
            "article": f"GDPR {ARTICLE[record.basis]}",
            "since": record.since.isoformat(),
            "until": telling.end_of(record),
            "until_words": telling.end_in_words(content, record),
            "ended_on": record.ended_on.isoformat() if record.ended_on else None,
        }


def _recipients(received: list[Received]) -> Any:
    for one in received:
        yield {
            "name": one.name,
            "legal_name": one.legal_name,
            "role": one.role,
            "task": one.task,
            "received": [
                {"on": line.day.isoformat(), "why": line.why, "what": line.what}
                for line in one.handed
            ],
            "told": [
                {"on": line.day.isoformat(), "what": line.what, "state": line.state}
                for line in one.told
            ],
        }


def _categories(content: Content) -> Any:
    for kept in content.kept:
        period = PERIOD[kept.category]
        yield {
            "name": str(kept.category.label),
            "rows": kept.rows,
            "last_day": telling.last_day(content, kept),
            "last_day_words": telling.last_day_in_words(content, kept),
            "rule": period.rule,
            "counted_from": str(period.starts),
            "lasts": str(period.lasts),
            "why": str(period.why),
        }


def _choices(content: Content) -> Any:
    for event in content.events:
        yield {
            "on": stockholm_date(event.at).isoformat(),
            "what": said(event._meta.get_field("kind"), event.kind),
            "about": telling.about(event),
            "how": said(event._meta.get_field("collected"), event.collected),
            "wording": event.notice.text if event.notice else None,
        }


def _tables(content: Content) -> Any:
    for copy in content.tables:
        yield {
            "key": copy.key,
            "name": copy.name,
            "columns": [
                {
                    "key": column.key,
                    "label": column.label,
                    "category": str(column.category.label),
                    "meanings": column.meanings,
                }
                for column in copy.columns
            ],
            "rows": copy.rows,
        }
