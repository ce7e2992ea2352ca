"""What staff see of people: exact search, facts to read, questions, and who has looked."""

import copy
from contextlib import suppress
from datetime import date
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import SEARCH_VAR
from django.core.exceptions import ValidationError
from django.db.models import Case, CharField, Exists, OuterRef, Q, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from customers import crypto, rules, words
from customers.admin.pages import PersonAdmin
from customers.dates import today
from customers.locked import SEES_LOCKED, hides_national_id
from customers.models import (
    AccessLog,
    Address,
    Customer,
    Order,
    Subscription,
    SupportCase,
)
from customers.staff import (
    PROTECTED,
    ReadOnlyAdmin,
    ReadOnlyInline,
    TracedAdmin,
    shown,
    yes_or_no,
)


def exactly(term: str, *, sees_locked: bool = False) -> Q:
    """Return the people that a number, e-mail, phone or national identity number points out.

    Whole values only; the national identity number is found by its keyed hash (PNR-02, D03), and
    not where only a hold keeps it (RUL-16).
    """
    text = term.strip()
    if "@" in text:
        return Q(email=text.casefold()) & ~Q(email="")
    found = Q(number=text.upper())
    with suppress(ValidationError):
        number = Q(national_id_hash=crypto.lookup_hash(rules.clean_national_id(text)))
        if not sees_locked:
            number &= ~Q(Exists(Customer.objects.number_locked().filter(pk=OuterRef("pk"))))
        found |= number
    with suppress(ValidationError):
        if phone := rules.clean_phone(text):
            found |= Q(phone=phone)
    return found


def with_relation(people: QuerySet[Customer]) -> QuerySet[Customer]:
    """Say of each person whether they are a customer, have been one or only asked (RUL-12)."""
    subscriptions = Subscription.objects.filter(customer=OuterRef("pk"))
    orders = Order.objects.filter(customer=OuterRef("pk"))
    relation = Case(
        When(Exists(subscriptions.active(today())) | Exists(orders.open()), Value("now")),
        When(Exists(subscriptions) | Exists(orders), Value("before")),
        default=Value("never"),
        output_field=CharField(),
    )
    return people.annotate(relation=relation)


RELATIONS = {"now": _("Kund"), "before": _("Tidigare kund"), "never": _("Har inte köpt")}


def noted(value: str, returned_on: date | None, suppressed_on: date | None) -> str:
    """Say beside a contact point what shuts it: mail that came back, a no that it carries."""
    notes = []
    if returned_on:
        notes.append(gettext("kom tillbaka %(day)s") % {"day": words.full_day(returned_on)})
    if suppressed_on:
        notes.append(gettext("nej till reklam %(day)s") % {"day": words.full_day(suppressed_on)})
    return f"{value} ({', '.join(notes)})" if value and notes else value


class AddressInline(ReadOnlyInline):
    model = Address
    fields = (
        *("kind", "street", "postcode", "city", "country", "source", "collected", "given_on"),
        *("returned_on", "suppressed_on"),
    )
    has_own_words = True


class SupportCaseInline(ReadOnlyInline):
    model = SupportCase
    fields = ("subject", "collected", "opened_at", "closed_on", "last_day")
    ordering = ("-opened_at",)
    has_own_words = True


@admin.register(Customer)
class CustomerAdmin(PersonAdmin):
    """People. Lists say the number and nothing that tells who it is."""

    list_display = ("number", "protected", "created", "relation")
    list_filter = ("protection",)
    search_fields = ("number",)
    search_help_text = _("Hela kundnumret, e-postadressen, mobilnumret eller personnumret.")
    ordering = ("-pk",)
    preserve_filters = False
    change_form_template = "admin/customers/customer/facts.html"
    fieldsets = (
        (None, {"fields": ("number", "protection", "name", "born", "language")}),
        (_("Kontakt"), {"fields": ("mail", "mobile", "home", "in_nix_phone", "in_nix_post")}),
        (_("Personnummer"), {"fields": ("national_id", "number_used")}),
        (
            _("Registret"),
            {
                "fields": (
                    "created_at",
                    "source",
                    "collected",
                    "noticed_on",
                    "adult_confirmed_on",
                    "restriction",
                    "deceased_on",
                    "last_contact_on",
                )
            },
        ),
    )

    name = shown(_("namn"), lambda person: person.name)
    born = shown(_("född"), lambda person: person.birth_date and words.full_day(person.birth_date))
    mail = shown(
        _("e-post"),
        lambda person: noted(person.email, person.email_returned_on, person.email_suppressed_on),
    )
    mobile = shown(
        _("mobil"),
        lambda person: noted(
            rules.shown_phone(person.phone), person.phone_returned_on, person.phone_suppressed_on
        ),
    )
    national_id = shown(
        _("personnummer"),
        lambda person: "" if person.hides_national_id else rules.masked_national_id(person),
    )
    number_used = shown(
        _("personnumret använt"),
        lambda person: (
            person.national_id_used_on
            and not person.hides_national_id
            and words.full_day(person.national_id_used_on)
        ),
    )
    in_nix_phone = yes_or_no(_("i NIX-Telefon"), "nix_phone")
    in_nix_post = yes_or_no(_("i NIX adresserat"), "nix_post")
    home = shown(
        _("adress"),
        lambda person: "\n".join(
            noted(a.line, a.returned_on, a.suppressed_on)
            for a in person.addresses.filter(kind=Address.Kind.HOME)
        ),
    )

    @admin.display(description=_("skydd"))
    def protected(self, person: Customer) -> str:
        """Mark a protected identity."""
        return str(PROTECTED if person.protection else _("Nej"))

    @admin.display(description=_("registrerad"))
    def created(self, person: Customer) -> str:
        """Return the day of registration."""
        return words.full_day(person.created_at)

    @admin.display(description=_("relation"))
    def relation(self, person: Customer) -> str:
        """Say what the person is to us."""
        return str(RELATIONS[person.relation])  # type: ignore[attr-defined]

    def person_of(self, row: Customer) -> Customer:
        """Return the person, who is the row."""
        return row

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        """Return the person, marked when their identity number is only held (RUL-16)."""
        person = super().get_object(request, object_id, from_field)
        if person is not None:
            person.hides_national_id = hides_national_id(request.user, person)
        return person

    def get_queryset(self, request: HttpRequest) -> QuerySet[Customer]:
        """Return people with their relation."""
        return with_relation(super().get_queryset(request))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find by a whole value or not at all."""
        if not search_term.strip():
            return queryset, False
        sees_locked = request.user.has_perm(SEES_LOCKED)
        return queryset.filter(exactly(search_term, sees_locked=sees_locked)), False

    def get_list_filter(self, request: HttpRequest) -> Any:
        """Offer no filters beside a search; their links would carry what was searched for."""
        return () if SEARCH_VAR in request.GET else self.list_filter

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Search by POST, so that no address and no number of a person stands in a URL (B12)."""
        if request.method == "POST" and SEARCH_VAR in request.POST:
            asked: Any = copy.copy(request)
            asked.method = "GET"
            asked.GET = QueryDict(mutable=True)
            asked.GET[SEARCH_VAR] = request.POST[SEARCH_VAR]
            return super().changelist_view(asked, extra_context)
        if SEARCH_VAR in request.GET:
            return redirect(request.path)
        return super().changelist_view(request, extra_context)

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[Any]:
        """Leave out what would tell who a protected person is."""
        hidden = getattr(obj, "is_hidden", False)
        inlines: tuple[Any, ...] = tuple(self.inlines)
        return [inline for inline in inlines if not (hidden and inline.has_own_words)]


@admin.register(SupportCase)
class SupportCaseAdmin(TracedAdmin):
    list_display = ("public_id", "collected", "opened_at", "closed_on", "last_day")
    list_filter = ("collected",)
    ordering = ("-opened_at",)
    fields = (
        "customer",
        "asked",
        "wrote",
        "answered",
        "collected",
        "opened_at",
        "closed_on",
        "complaint_until",
        "last_day",
    )
    asked = shown(_("ämne"), lambda case: case.subject)
    wrote = shown(_("vad kunden skrev"), lambda case: case.body)
    answered = shown(_("vårt svar"), lambda case: case.answer)


@admin.register(AccessLog)
class AccessLogAdmin(ReadOnlyAdmin):
    """Who has looked at whom; the data protection officer's to read."""

    list_display = ("at", "number", "reader", "reason", "words")
    list_filter = ("reason",)
    list_select_related = ("customer", "actor")
    fields = ("at", "number", "reader", "reason", "words", "last_day")

    @admin.display(description=_("kund"))
    def number(self, reading: AccessLog) -> str:
        """Return whom it was about."""
        return reading.customer.number

    @admin.display(description=_("vem"))
    def reader(self, reading: AccessLog) -> str:
        """Return who of staff it was."""
        return reading.actor.email
