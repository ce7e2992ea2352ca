"""Whom not to reach: the contact points of people who said no and are gone, as keyed hashes."""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.personal_data import Impersonal


class Suppression(models.Model):
    """A keyed hash that keeps somebody who said no from coming back by a file (ERA-06, F16)."""

    class Kind(models.TextChoices):
        EMAIL = "email", _("e-post")
        PHONE = "phone", _("telefon")
        ADDRESS = "address", _("adress")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(_("slag"), max_length=8, choices=Kind)
    digest = models.BinaryField(max_length=32)
    # The day of the latest no; a yes that the person gives from that day on is the newer word.
    added_on = models.DateField(_("tillagd"))

    personal_data = Impersonal(columns=("id", "kind", "digest", "added_on"))

    class Meta:
        verbose_name = _("spärrad adress")
        verbose_name_plural = _("spärrade adresser")
        constraints = [
            models.UniqueConstraint(name="one_suppression", fields=["kind", "digest"]),
        ]

    def __str__(self) -> str:
        return f"{self.pk}"
