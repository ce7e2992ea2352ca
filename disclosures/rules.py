"""Who still has to get the first information, and by which way we may write to a person."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Case, CharField, Exists, OuterRef, Q, QuerySet, Value, When

from customers.models import Address, Customer
from customers.models.channels import Source
from disclosures.models import Outbox

# A way that failed is tried again after this, and the other way meanwhile.
TRY_AGAIN = timedelta(days=30)
NOBODY, EVERYBODY = Q(), Q(pk__isnull=False)


def still_to_tell() -> QuerySet[Customer]:
    """Return the living people who have not had the first information in writing (INF-02)."""
    return Customer.objects.identified().filter(noticed_on=None, deceased_on=None)


def with_way(
    people: QuerySet[Customer], *, no_mail: Q = NOBODY, no_letter: Q = NOBODY
) -> QuerySet[Any]:
    """Say of each person by which kind of message we can reach them: mail, letter or "".

    A protected person is written to only by the e-mail they have given themselves (SKY-01).
    """
    own = Q(protection="") | Q(source=Source.PERSON) | Q(user__isnull=False)
    mail = own & ~Q(email="") & Q(email_returned_on=None)
    home = Address.objects.filter(customer=OuterRef("pk"), kind=Address.Kind.HOME, returned_on=None)
    letter = Q(protection="") & Q(Exists(home))
    return people.annotate(
        way=Case(
            When(mail & ~no_mail, then=Value(Outbox.Kind.MAIL.value)),
            When(letter & ~no_letter, then=Value(Outbox.Kind.LETTER.value)),
            default=Value(""),
            output_field=CharField(),
        )
    )


def owed_first_notice(at: datetime) -> QuerySet[Any]:
    """Return the people to tell now, with the way: none on its way, none that failed just now."""
    notices = Outbox.objects.filter(customer=OuterRef("pk"), notice__isnull=False)
    failed = notices.exclude(status=Outbox.Status.QUEUED).filter(finished_at__gt=at - TRY_AGAIN)
    return (
        with_way(
            still_to_tell().exclude(Exists(notices.filter(status=Outbox.Status.QUEUED))),
            no_mail=Q(Exists(failed.filter(kind=Outbox.Kind.MAIL))),
            no_letter=Q(Exists(failed.filter(kind=Outbox.Kind.LETTER))),
        )
        .exclude(way="")
        .order_by("pk")
    )
