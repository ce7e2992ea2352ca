"""How many, and never who: the only way into what is just counted (policy D, J, RUL-08).

A group under ten is hidden, and with it as many of the smallest others as it takes for nobody to
work it out from the total.
"""

from dataclasses import dataclass
from datetime import date

from django.db.models import Count, FilteredRelation, Q

from consent.purposes import Use
from consent.rules import gate

SMALLEST = 10
# What people may be grouped by: nothing that tells one from another.
GROUPS = {
    "language": "language",
    "channel": "collected",
    "product": "kept__product__code",
}


@dataclass(frozen=True)
class Counts:
    """Groups of at least ten people; the total is None where the people together are fewer."""

    shown: dict[str, int]
    hidden_groups: int
    total: int | None


def counted(use: Use, on: date, by: str) -> Counts:
    """Count those whose data may be counted so on a day; raises ValueError for another grouping."""
    if by not in GROUPS:
        raise ValueError(f'Nobody is grouped by "{by}"; choose {", ".join(GROUPS)}.')
    people = gate(use).open(use, on).order_by()
    if by == "product":
        # What is past its own last day and held is not counted (ERA-04).
        kept = Q(subscriptions__retain_until__isnull=True) | Q(subscriptions__retain_until__gte=on)
        people = people.annotate(kept=FilteredRelation("subscriptions", condition=kept))
    rows = people.values_list(GROUPS[by]).annotate(people=Count("pk", distinct=True))
    groups = {group or "": size for group, size in rows}
    return suppressed(groups, people.count())


def suppressed(groups: dict[str, int], total: int) -> Counts:
    """Hide what is too small, and what would give it away (complementary suppression)."""
    if total < SMALLEST:
        return Counts({}, len(groups), None)
    by_size = sorted(groups, key=lambda group: (groups[group], group))
    hidden = [group for group in by_size if groups[group] < SMALLEST]
    # One hidden group is the total less the others; several are only safe as ten together.
    while hidden and len(hidden) < len(by_size):
        if len(hidden) > 1 and sum(groups[group] for group in hidden) >= SMALLEST:
            break
        hidden.append(by_size[len(hidden)])
    shown = {group: groups[group] for group in by_size if group not in hidden}
    return Counts(shown, len(hidden), total)
