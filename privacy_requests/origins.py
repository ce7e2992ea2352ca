"""Where each column of the map comes from: the person, what is seen of their use, or us (POR-01).

The right to take data along reaches the first two only. `privacy_requests.checks` refuses a column
that has no line here, so that a new one is neither handed on nor forgotten unseen.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from customers.personal_data import personal_models


@dataclass(frozen=True)
class Origin:
    """The columns of a table by where they come from.

    `ours` is what we decide, work out, are told by others, or note about our own acts.
    """

    provided: tuple[str, ...] = ()
    observed: tuple[str, ...] = ()
    ours: tuple[str, ...] = ()

    @property
    def declared(self) -> set[str]:
        """The columns that have a line."""
        return {*self.provided, *self.observed, *self.ours}

    def of(self, column: str) -> str:
        """Return "provided" or "observed", or nothing for what is ours."""
        if column in self.provided:
            return "provided"
        return "observed" if column in self.observed else ""


ORIGINS: dict[str, Origin] = {
    "account.emailaddress": Origin(provided=("email",), ours=("verified", "primary")),
    "account.emailconfirmation": Origin(ours=("created", "sent")),
    "admin.logentry": Origin(ours=("action_time", "object_repr", "action_flag", "change_message")),
    "consent.event": Origin(
        provided=("at", "kind", "purpose", "channel", "third_party", "collected"),
        ours=("ground", "notice", "authority"),
    ),
    "consent.eventdetail": Origin(ours=("evidence",)),
    "consent.processingrecord": Origin(
        ours=("purpose", "basis", "since", "retain_until", "relation_ended_on", "ended_on")
    ),
    "consent.standing": Origin(
        ours=(
            *("purpose", "channel", "third_party", "permission"),
            *("declined", "since", "authority"),
        )
    ),
    "customers.accesslog": Origin(ours=("reason", "words", "at")),
    "customers.address": Origin(
        provided=("kind", "street", "postcode", "city", "country", "collected", "given_on"),
        ours=("source", "returned_on", "suppressed_on"),
    ),
    "customers.change": Origin(
        provided=("field", "new", "collected", "at"),
        ours=("old", "source"),
    ),
    "customers.customer": Origin(
        provided=(
            *("given_name", "family_name", "birth_date", "adult_confirmed_on", "language"),
            *("email", "phone", "national_id_sealed", "collected"),
        ),
        observed=("created_at", "last_contact_on"),
        ours=(
            *("protection", "deceased_on", "nix_phone", "nix_post", "user"),
            *("email_returned_on", "phone_returned_on"),
            *("email_suppressed_on", "phone_suppressed_on"),
            *("national_id_hash", "national_id_used_on"),
            *("number", "noticed_on", "restriction", "source", "erasure_on"),
        ),
    ),
    "customers.debtinterruption": Origin(ours=("invoice", "kind", "happened_on", "words")),
    # What we issue ourselves and the Bookkeeping Act has us keep; what was bought is in the orders.
    "customers.invoice": Origin(
        ours=(
            *("number", "kind", "issued_on", "due_on", "paid_on", "interrupted_on"),
            *("buyer_number", "buyer_name", "buyer_address", "lines", "total_ore", "vat_ore"),
        )
    ),
    "customers.order": Origin(
        provided=("product", "quantity", "collected", "ordered_on", "withdrawn_on"),
        observed=("delivered_on", "cancelled_on"),
        ours=("number",),
    ),
    "customers.session": Origin(observed=("created_at",), ours=("expire_date",)),
    "customers.subscription": Origin(
        provided=("product", "collected"), observed=("started_on", "ended_on")
    ),
    "customers.supportcase": Origin(
        provided=("subject", "body", "collected", "opened_at"),
        ours=("answer", "closed_on", "complaint_until"),
    ),
    "customers.user": Origin(
        provided=("email",), observed=("last_login", "created_at"), ours=("is_active",)
    ),
    "customers.user_groups": Origin(ours=("group",)),
    "customers.user_user_permissions": Origin(ours=("permission",)),
    "disclosures.disclosure": Origin(
        ours=(
            *("at", "recipient", "purpose", "basis", "channel", "categories", "fields"),
            *("country", "safeguard"),
        )
    ),
    "disclosures.recipientnotice": Origin(
        ours=(
            *("created_at", "recipient", "act", "categories", "channel", "reference", "sent_at"),
            *("attempts", "escalated_at", "outcome", "closed_at", "reason"),
        )
    ),
    "disclosures.outbox": Origin(
        ours=(
            *("kind", "purpose", "template", "recipient", "subject", "body"),
            *("language", "status", "created_at", "finished_at"),
        )
    ),
    "privacy_requests.case": Origin(
        provided=("right", "collected", "wording", "received_at", "received_on"),
        ours=(
            *("identity_method", "status", "nominal_on", "latest_on", "asked_on", "reminded_on"),
            *("stands_since", "suspended_days", "extended_on", "extension_reason", "outcome"),
            *("reasons", "rule", "fee_ore", "fee_told_on", "decided_at", "approved_at"),
            "carried_out_at",
            *("answered_at", "answer", "closed_on"),
        ),
    ),
    "privacy_requests.caseevent": Origin(ours=("kind", "at", "words", "before_on", "after_on")),
    "privacy_requests.emailchange": Origin(
        provided=("old", "new"),
        observed=("asked_at", "changed_at", "reverted_at"),
        ours=("tries", "proved_by", "valid_until", "ended_at"),
    ),
    "privacy_requests.erasure": Origin(
        observed=("confirmed_at", "taken_back_at"),
        ours=("proved_by", "until", "released_at", "answer_to", "stays", "done_at"),
    ),
    "privacy_requests.extract": Origin(
        observed=("downloads",),
        ours=("status", "snapshot_at", "ready_at", "expires_on", "gone_at", "size"),
    ),
    "privacy_requests.proofcode": Origin(
        ours=("way", "made_at", "valid_until", "tries", "ended_at", "used_at", "how")
    ),
    "privacy_requests.statement": Origin(provided=("about", "wording", "collected", "written_at")),
    "retention.hold": Origin(
        ours=("ground", "reason", "placed_at", "review_on", "lifted_at", "lapses_on")
    ),
    "retention.holdreview": Origin(ours=("at", "reason", "review_on")),
    "retention.receipt": Origin(ours=("category", "rule", "row_count", "held_by", "at")),
    "retention.setaside": Origin(ours=("attempts", "since", "tried_on", "cause")),
}


def undeclared() -> Iterator[tuple[str, set[str], set[str]]]:
    """Yield each table with the columns that have no line here, and the lines without a column."""
    seen = set()
    for model, data in personal_models():
        label = model._meta.label_lower
        seen.add(label)
        columns = {name for names in data.columns.values() for name in names}
        declared = ORIGINS[label].declared if label in ORIGINS else set()
        if columns != declared:
            yield label, columns - declared, declared - columns
    for label in sorted(set(ORIGINS) - seen):
        yield label, set(), ORIGINS[label].declared
