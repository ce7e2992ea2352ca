"""What the database remembers of the log of erasures outside it, so that a restored one is told."""

import uuid

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from customers.personal_data import Impersonal


class Mark(models.Model):
    """How far this database has come; the file outside never says more, unless it was restored."""

    number = models.PositiveBigIntegerField(default=0)
    at = models.DateTimeField(default=timezone.now)

    personal_data = Impersonal(columns=("number", "at"))

    class Meta:
        verbose_name = _("märke")
        verbose_name_plural = _("märken")

    def __str__(self) -> str:
        return f"{self.number}"


class ErasureBatch(models.Model):
    """One transaction that erased people, or never will: whose file may lie outside."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    at = models.DateTimeField(default=timezone.now)
    # Written by whoever found the file without the row: no such transaction can commit any more.
    is_void = models.BooleanField(default=False)

    personal_data = Impersonal(columns=("id", "at", "is_void"))

    class Meta:
        verbose_name = _("raderad omgång")
        verbose_name_plural = _("raderade omgångar")

    def __str__(self) -> str:
        return f"{self.pk}"
