"""Who still has to get the first information."""

from django.db.models import QuerySet

from customers.models import Customer


def still_to_tell() -> QuerySet[Customer]:
    """Return the living people who have not had the first information in writing (INF-02)."""
    return Customer.objects.identified().filter(noticed_on=None, deceased_on=None)
