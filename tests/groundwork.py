"""What every installation has laid in before anybody is advertised to, here without an end.

The tests ask the gate about days from 2008 on and far ahead. Balancing records and snapshots of NIX
that run out would hide what they ask about, so those laid in here are of the last day there is.
Tests about running out take them away first, each in its own transaction.
"""

from datetime import date

from consent.balancing import PROPOSALS
from consent.groundwork import BalancingRecord, NixSnapshot, Register
from customers.dates import FAR
from tests import cast, past

# Nobody's keys: accounts of staff would be seen by tests that count people.
OWNER, APPROVER = -1, -2


def lay() -> None:
    """Lay in an approved balancing record for each purpose and a snapshot of both registers."""
    BalancingRecord.objects.bulk_create(
        BalancingRecord(
            purpose=purpose,
            **vars(texts),
            owner_id=OWNER,
            approved_by_id=APPROVER,
            decided_on=date(FAR.year - 1, 1, 1),
            review_on=FAR,
        )
        for purpose, texts in PROPOSALS.items()
    )
    NixSnapshot.objects.bulk_create(
        NixSnapshot(register=register, taken_on=FAR, entries=1, loaded_at=cast.noon(FAR))
        for register in Register
    )


def take_away(*models: type[BalancingRecord] | type[NixSnapshot]) -> None:
    """Take it away until the transaction of the test ends."""
    with past.the_triggers():
        for model in models or (BalancingRecord, NixSnapshot):
            model.objects.all().delete()
