"""How long: holds, the nightly runs and the receipts of deletion."""

from datetime import date

import pgtrigger
from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from customers.dates import FAR, Plus, StockholmDate
from customers.models import Customer, User
from customers.personal_data import EVERYTHING, AtEnd, Category, Clock, Impersonal, PersonalData
from customers.triggers import never_changes, not_emptied, stays_until_its_date
from retention.marks import ErasureBatch, Mark
from retention.wipes import Wipe

__all__ = [
    "ErasureBatch",
    "Forecast",
    "Heartbeat",
    "Hold",
    "HoldReview",
    "Mark",
    "Pause",
    "Receipt",
    "Release",
    "Run",
    "SetAside",
    "Wipe",
]


# CLM-03: the longest that anybody may decide to keep what is past its time.
LONGEST_HOLD = 120  # months


class HoldQuerySet(models.QuerySet["Hold"]):
    def live(self, on: date) -> "HoldQuerySet":
        """Keep the holds that keep something on a day: neither lifted nor ten years old."""
        return self.filter(lifted_at__isnull=True, lapses_on__gte=on)

    def to_review(self, until: date) -> "HoldQuerySet":
        """Keep the live holds whose review is due by a day, late ones first (RUL-35)."""
        return self.live(until).filter(review_on__lte=until).order_by("review_on", "pk")


class Hold(models.Model):
    """A reason to keep a person's data past its time, with an owner and a review date (ERA-02)."""

    class Ground(models.TextChoices):
        CASE = "case", _("ett öppet ärende (RUL-17)")
        COMPLAINT = "complaint", _("en reklamation (CLM-02)")
        DEBT = "debt", _("en obetald skuld (CLM-01)")
        BOOKS = "books", _("underlag som bokföringen hänvisar till (BFL-02)")
        DISPUTE = "dispute", _("en tvist (CLM-03)")
        MANUAL = "manual", _("ett beslut (RUL-35)")

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="holds")
    ground = models.CharField(_("grund"), max_length=10, choices=Ground)
    reason = models.CharField(_("skäl"), max_length=300, blank=True)
    # The work the hold belongs to, such as "case:17"; whoever placed it lifts it by this.
    reference = models.CharField(max_length=40, blank=True)
    categories = models.PositiveIntegerField(_("omfattar"), default=EVERYTHING)
    owner = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    placed_at = models.DateTimeField(_("lagd"), default=timezone.now)
    review_on = models.DateField(_("omprövas"), null=True, blank=True)
    # The day its owner was last reminded that it is to be reviewed.
    reminded_on = models.DateField(null=True, blank=True)
    lifted_at = models.DateTimeField(_("hävd"), null=True, blank=True)
    # RUL-35: a decision holds for ten years at most, reviewed or not; a case as long as it is open.
    lapses_on = models.GeneratedField(
        expression=Case(
            When(ground="case", then=Value(FAR)),
            default=Plus(StockholmDate(F("placed_at")), months=LONGEST_HOLD),
        ),
        output_field=models.DateField(),
        db_persist=True,
        verbose_name=_("gäller längst till och med"),
    )

    objects = HoldQuerySet.as_manager()

    personal_data = PersonalData(
        name=_("Skäl att spara längre"),
        columns={
            Category.SHELL: (
                *("ground", "reason", "placed_at", "review_on", "lifted_at", "lapses_on"),
            )
        },
        impersonal=("reference", "categories", "owner", "reminded_on"),
    )

    class Meta:
        verbose_name = _("spärr mot radering")
        verbose_name_plural = _("spärrar mot radering")
        constraints = [
            models.UniqueConstraint(
                name="one_live_hold_per_reference",
                fields=["customer", "reference"],
                condition=Q(lifted_at__isnull=True) & ~Q(reference=""),
            ),
        ]
        indexes = [
            # The first page and the reminders: decisions to review, of those that still hold.
            models.Index(
                fields=["review_on"],
                name="hold_to_review",
                condition=Q(lifted_at__isnull=True) & Q(review_on__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk}"


class HoldReview(models.Model):
    """A decision that a hold goes on: who read it anew, why it is still needed, until when."""

    hold = models.ForeignKey(Hold, models.CASCADE, related_name="reviews")
    # No constraint: the decision outlasts the account of whoever made it.
    by = models.ForeignKey(
        User, models.DO_NOTHING, db_constraint=False, related_name="+", verbose_name=_("av")
    )
    at = models.DateTimeField(_("när"), default=timezone.now)
    reason = models.CharField(_("skäl"), max_length=300)
    review_on = models.DateField(_("omprövas nästa gång"))

    personal_data = PersonalData(
        name=_("Omprövade skäl att spara längre"),
        path="hold__customer",
        columns={Category.SHELL: ("at", "reason", "review_on")},
        impersonal=("by",),
    )

    class Meta:
        verbose_name = _("omprövning av spärr")
        verbose_name_plural = _("omprövningar av spärrar")
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(name="review_has_a_reason", condition=~Q(reason="")),
        ]
        triggers = [
            pgtrigger.Protect(name="hold_review_is_as_written", operation=pgtrigger.Update),
            not_emptied("hold_review"),
        ]

    def __str__(self) -> str:
        return f"{self.pk}"


class Run(models.Model):
    """One night's purge; there is one per business date."""

    class Status(models.TextChoices):
        RUNNING = "running", _("pågår")
        DONE = "done", _("klar")
        PARTIAL = "partial", _("delvis klar")
        STOPPED = "stopped", _("stoppad")
        SKIPPED = "skipped", _("överhoppad")

    business_date = models.DateField(_("natten till"), unique=True)
    status = models.CharField(_("läge"), max_length=8, choices=Status, default=Status.RUNNING)
    started_at = models.DateTimeField(_("började"), default=timezone.now)
    finished_at = models.DateTimeField(_("slutade"), null=True, blank=True)
    people = models.PositiveIntegerField(_("personer"), default=0)
    # Rows per rule id, filled when the run closes.
    counts = models.JSONField(_("raderat per regel"), default=dict)
    # The plan it works by: a digest over who, what and why; how many; how often it was made.
    plan_hash = models.CharField(_("planens avtryck"), max_length=64, blank=True, db_default="")
    planned_at = models.DateTimeField(_("planerad"), null=True, blank=True)
    planned_people = models.PositiveIntegerField(_("personer i planen"), db_default=0)
    # People and rows per category, by its number.
    plan_lines = models.JSONField(_("planens innehåll"), null=True, blank=True)
    plans = models.PositiveSmallIntegerField(_("antal planer"), db_default=0)
    # What the forecast of a week ago said for it, and the most that may go without being asked.
    expected_people = models.PositiveIntegerField(_("väntade personer"), db_default=0)
    most_people = models.PositiveIntegerField(_("gräns för personer"), db_default=0)
    began_at = models.DateTimeField(_("började radera"), null=True, blank=True)
    set_aside = models.PositiveIntegerField(_("undantagna personer"), db_default=0)
    # Rows by table that belonged to nobody, counted as they go.
    swept = models.JSONField(_("rader utan person"), null=True, blank=True)
    # Signed when the run closes (`retention.certificates`).
    certificate = models.JSONField(_("intyg"), null=True, blank=True)

    personal_data = Impersonal(
        columns=(
            *("business_date", "status", "started_at", "finished_at", "people", "counts"),
            *("plan_hash", "planned_at", "planned_people", "plan_lines", "plans"),
            *("expected_people", "most_people", "began_at", "set_aside", "swept", "certificate"),
        )
    )

    class Meta:
        verbose_name = _("gallringskörning")
        verbose_name_plural = _("gallringskörningar")
        ordering = ["-business_date"]
        permissions = [("release_run", "Can let a stopped night go on")]

    def __str__(self) -> str:
        return f"{self.business_date}"


class Release(models.Model):
    """A plan of a stopped night that somebody has read and lets be done (RUL-38)."""

    run = models.ForeignKey(Run, models.PROTECT, related_name="releases")
    plan_hash = models.CharField(_("planens avtryck"), max_length=64)
    people = models.PositiveIntegerField(_("personer i planen"))
    reason = models.CharField(_("skäl"), max_length=300)
    # No constraint: the release outlasts the account of whoever gave it.
    by = models.ForeignKey(
        User, models.DO_NOTHING, db_constraint=False, related_name="+", verbose_name=_("av")
    )
    at = models.DateTimeField(_("när"), default=timezone.now)

    personal_data = Impersonal(columns=("run", "plan_hash", "people", "reason", "by", "at"))

    class Meta:
        verbose_name = _("frisläppt natt")
        verbose_name_plural = _("frisläppta nätter")
        constraints = [
            models.UniqueConstraint(name="a_plan_is_released_once", fields=["run", "plan_hash"]),
        ]
        triggers = never_changes("release")

    def __str__(self) -> str:
        return f"{self.pk}"


class Forecast(models.Model):
    """What a night to come would take, as seen from an earlier night: people and no names."""

    class Span(models.TextChoices):
        NIGHT = "night", _("natt")
        MONTH = "month", _("månad")

    made_on = models.DateField(_("gjord natten till"))
    span = models.CharField(_("avser"), max_length=5, choices=Span)
    # The night to this day, or the first day of the month.
    day = models.DateField(_("dag"))
    people = models.PositiveIntegerField(_("personer"))
    # People per category, by its number.
    per_category = models.JSONField(_("personer per kategori"), default=dict)

    personal_data = Impersonal(columns=("made_on", "span", "day", "people", "per_category"))

    class Meta:
        verbose_name = _("prognos")
        verbose_name_plural = _("prognoser")
        constraints = [
            models.UniqueConstraint(
                name="one_forecast_per_night_and_day", fields=["span", "day", "made_on"]
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day}"


class Pause(models.Model):
    """The purge is turned off for a while, by somebody and for a reason."""

    since = models.DateTimeField(_("från"), default=timezone.now)
    until = models.DateTimeField(_("till"))
    reason = models.CharField(_("skäl"), max_length=300)
    # No constraint: the row outlasts the account of whoever wrote it.
    by = models.ForeignKey(
        User, models.DO_NOTHING, db_constraint=False, related_name="+", verbose_name=_("av")
    )
    ended_at = models.DateTimeField(_("avslutad i förtid"), null=True, blank=True)
    ended_by = models.ForeignKey(
        User,
        models.DO_NOTHING,
        db_constraint=False,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("avslutad av"),
    )

    personal_data = Impersonal(columns=("since", "until", "reason", "by", "ended_at", "ended_by"))

    class Meta:
        verbose_name = _("uppehåll i gallringen")
        verbose_name_plural = _("uppehåll i gallringen")
        constraints = [
            models.CheckConstraint(name="pause_has_an_end", condition=Q(until__gt=F("since"))),
            models.CheckConstraint(name="pause_has_a_reason", condition=~Q(reason="")),
        ]

    def __str__(self) -> str:
        return f"{self.pk}"


class SetAside(models.Model):
    """Somebody whose rows the database would not give up, to be tried again every night (F14)."""

    customer = models.OneToOneField(Customer, models.CASCADE, related_name="set_aside")
    attempts = models.PositiveSmallIntegerField(_("försök"))
    since = models.DateField(_("sedan natten till"))
    tried_on = models.DateField(_("senast försökt natten till"))
    # The name of the database's refusal, never its words: those quote the row.
    cause = models.CharField(_("orsak"), max_length=60)

    personal_data = PersonalData(
        name=_("Uppgifter som inte har gått att radera"),
        columns={Category.SHELL: ("attempts", "since", "tried_on", "cause")},
    )

    class Meta:
        verbose_name = _("undantagen person")
        verbose_name_plural = _("undantagna personer")

    def __str__(self) -> str:
        return f"{self.pk}"


class Heartbeat(models.Model):
    """When a computer's clock was last seen, and how far it stood from the time since its start.

    Time since the start cannot be set, so a clock that is put forward shows as a difference.
    """

    boot = models.CharField(primary_key=True, max_length=36)
    seen_at = models.DateTimeField()
    # Seconds between the clock and the time since the start, when first seen.
    offset = models.FloatField()

    personal_data = Impersonal(columns=("boot", "seen_at", "offset"))

    class Meta:
        verbose_name = _("klocka")
        verbose_name_plural = _("klockor")

    def __str__(self) -> str:
        return f"{self.boot}"


class Receipt(models.Model):
    """Proof that a category of a person is gone: a pseudonym, a rule and a count (ERA-08).

    With `held_by` it says the opposite: the time was up and a hold keeps the rows. The receipt of
    their deletion, once the hold is gone, follows on that one.
    """

    class HeldBy(models.TextChoices):
        CASE = Hold.Ground.CASE.value, Hold.Ground.CASE.label
        COMPLAINT = Hold.Ground.COMPLAINT.value, Hold.Ground.COMPLAINT.label
        DEBT = Hold.Ground.DEBT.value, Hold.Ground.DEBT.label
        BOOKS = Hold.Ground.BOOKS.value, Hold.Ground.BOOKS.label
        DISPUTE = Hold.Ground.DISPUTE.value, Hold.Ground.DISPUTE.label
        MANUAL = Hold.Ground.MANUAL.value, Hold.Ground.MANUAL.label
        RESTRICTION = "restriction", _("begränsad behandling (RUL-18)")

    customer = models.ForeignKey(
        Customer,
        models.DO_NOTHING,
        to_field="pseudonym",
        db_column="subject",
        db_constraint=False,
        related_name="receipts",
    )
    run = models.ForeignKey(Run, models.PROTECT, null=True, related_name="receipts")
    category = models.PositiveIntegerField(_("vad"), choices=Category)
    rule = models.CharField(_("regel"), max_length=12)
    row_count = models.PositiveIntegerField(_("antal"))
    held_by = models.CharField(
        _("spärrat av"), max_length=11, choices=HeldBy, blank=True, db_default=""
    )
    # The receipt that said that these rows were held; it may be gone by its own date.
    follows = models.ForeignKey(
        "self",
        models.DO_NOTHING,
        null=True,
        blank=True,
        db_constraint=False,
        db_index=False,
        related_name="+",
        verbose_name=_("följer på kvitto"),
    )
    at = models.DateTimeField(_("när"), default=timezone.now)
    retain_until = models.GeneratedField(
        expression=Plus(StockholmDate(F("at")), months=60),
        output_field=models.DateField(),
        db_persist=True,
    )

    personal_data = PersonalData(
        name=_("Raderingskvitton"),
        columns={Category.RECEIPTS: ("category", "rule", "row_count", "held_by", "at")},
        impersonal=("run", "follows", "retain_until"),
        at_end=AtEnd.UNLINK,
        clock=Clock.OWN,
    )

    class Meta:
        verbose_name = _("raderingskvitto")
        verbose_name_plural = _("raderingskvitton")
        indexes = [
            models.Index(fields=["retain_until"], name="receipt_retain_until"),
            # What a deletion follows on; nearly always nothing.
            models.Index(
                fields=["customer", "category"],
                name="receipt_of_what_is_held",
                condition=~Q(held_by=""),
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="receipt_is_as_written", operation=pgtrigger.Update),
            stays_until_its_date("receipt", "ERA-08"),
            not_emptied("receipt"),
        ]

    def __str__(self) -> str:
        return f"{self.pk}"
