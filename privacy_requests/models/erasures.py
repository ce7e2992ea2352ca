"""Erasures that were confirmed: the time to change one's mind, and when it was done (RUL-02)."""

from datetime import datetime, timedelta

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from customers.models import User
from customers.personal_data import Category, Clock, OnErasure, PersonalData
from privacy_requests.models.cases import Case
from privacy_requests.models.proofs import ProvedBy

# How long the person may change their mind, with the data out of use meanwhile (A20).
THINK_IT_OVER = timedelta(hours=72)


class ErasureQuerySet(models.QuerySet["Erasure"]):
    def waiting(self) -> "ErasureQuerySet":
        """Keep those that the person can still take back or that nothing was done about."""
        return self.filter(taken_back_at__isnull=True, released_at__isnull=True)

    def over(self, at: datetime) -> "ErasureQuerySet":
        """Keep those whose time to change one's mind has passed."""
        return self.waiting().filter(until__lte=at)

    def released(self) -> "ErasureQuerySet":
        """Keep those that nights are let at and whose person has no answer yet."""
        return self.filter(released_at__isnull=False, done_at__isnull=True)


class Erasure(models.Model):
    """One confirmed request to be erased.

    Confirmed, taken back or released when the time is up, and done when a night has taken what
    nothing keeps. The address for the answer is kept from the release to the answer and no longer.
    """

    case = models.OneToOneField(Case, models.CASCADE, related_name="erasure")
    confirmed_at = models.DateTimeField(_("bekräftat"))
    proved_by = models.CharField(_("så visade du vem du är"), max_length=8, choices=ProvedBy)
    # No constraint: what was done outlasts the account of whoever did it.
    confirmed_by = models.ForeignKey(
        User, models.DO_NOTHING, db_constraint=False, null=True, blank=True, related_name="+"
    )
    until = models.DateTimeField(_("kan ångras till"))
    taken_back_at = models.DateTimeField(_("ångrat"), null=True, blank=True)
    released_at = models.DateTimeField(_("tiden att ångra sig slut"), null=True, blank=True)
    answer_to = models.TextField(_("dit svaret går"), blank=True, db_default="")
    # What bookkeeping keeps, in words for the answer: after the night it is nobody's.
    stays = models.TextField(_("det som står kvar"), blank=True, db_default="")
    language = models.CharField(max_length=2, blank=True, db_default="")
    done_at = models.DateTimeField(_("raderat"), null=True, blank=True)

    objects = ErasureQuerySet.as_manager()

    personal_data = PersonalData(
        name=_("Radering du har bekräftat"),
        path="case__customer",
        columns={
            Category.CASES: (
                *("confirmed_at", "proved_by", "until", "taken_back_at", "released_at"),
                *("answer_to", "stays", "done_at"),
            )
        },
        impersonal=("confirmed_by", "language"),
        clock=Clock.OWN,
        clock_of="case",
        on_erasure=OnErasure.UNNAMED,
    )

    class Meta:
        verbose_name = _("radering")
        verbose_name_plural = _("raderingar")
        constraints = [
            models.CheckConstraint(
                name="erasure_waits_its_time",
                condition=Q(released_at__isnull=True)
                | Q(released_at__gte=F("until"), until__gte=F("confirmed_at") + THINK_IT_OVER),
            ),
            models.CheckConstraint(
                name="erasure_taken_back_or_released",
                condition=Q(taken_back_at__isnull=True) | Q(released_at__isnull=True),
            ),
            models.CheckConstraint(
                name="erasure_done_after_release",
                condition=Q(done_at__isnull=True) | Q(released_at__isnull=False),
            ),
            # The one thing that could say who it was goes with the answer.
            models.CheckConstraint(
                name="erasure_keeps_no_address",
                condition=Q(answer_to="") | Q(done_at__isnull=True),
            ),
        ]
        indexes = [
            # The hourly task looks here, and finds little.
            models.Index(
                fields=["until"],
                name="erasure_open",
                condition=Q(taken_back_at__isnull=True, done_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk}"
