"""What becomes of a supplementary statement: written beside the data, taken away (REC-01)."""

import uuid

from django.db import transaction
from django.utils.translation import gettext as _

from customers.models import Customer, User
from customers.models.channels import Collected
from privacy_requests.cases import RefusedError
from privacy_requests.models import Statement, Wrong
from privacy_requests.models.cases import LONGEST_WORDING

MOST = 50


@transaction.atomic
def add_statement(
    customer: Customer,
    about: str,
    wording: str,
    *,
    collected: str = Collected.PORTAL,
    actor: User | None = None,
) -> Statement:
    """Keep what a person adds to data about them; the same words twice are said once (B06).

    Raises cases.RefusedError for nothing, too much, or somebody whose details are gone.
    """
    locked = Customer.objects.select_for_update().get(pk=customer.pk)
    if not locked.name:
        raise RefusedError(_("Uppgifterna har raderats, så det finns inget att lägga till."))
    if about not in Wrong.values:
        raise RefusedError(_("Välj bland det som står i listan."))
    if not wording or len(wording) > LONGEST_WORDING:
        raise RefusedError(_("Skriv vad du vill lägga till, högst 5 000 tecken."))
    found = Statement.objects.filter(customer=locked, about=about, wording=wording).first()
    if found is not None:
        return found
    if Statement.objects.filter(customer=locked).count() >= MOST:
        raise RefusedError(_("Du har redan många tillägg. Ta bort något av dem först."))
    return Statement.objects.create(
        customer=locked, about=about, wording=wording, collected=collected, registered_by=actor
    )


@transaction.atomic
def remove_statement(customer: Customer, public_id: uuid.UUID) -> bool:
    """Take away what the person has added, as they wish; say whether it was there."""
    gone, _rows = Statement.objects.filter(customer=customer, public_id=public_id).delete()
    return bool(gone)
