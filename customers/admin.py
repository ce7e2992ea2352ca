"""What staff see of people: exact search, facts to read, and one page to correct details."""

import copy
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import SEARCH_VAR
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Case, CharField, Exists, Model, OuterRef, Q, QuerySet, Value, When
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from customers import crypto, rules, words
from customers.actions import OF_THE_ADDRESS, StaleError, change_details, mark_returned
from customers.dates import today
from customers.models import (
    AccessLog,
    Address,
    Customer,
    FiscalYear,
    Invoice,
    Order,
    Product,
    Subscription,
    SupportCase,
    Suppression,
    User,
)
from customers.models.channels import Source
from customers.personal_data import column_label
from customers.staff import (
    PROTECTED,
    ReadOnlyAdmin,
    ReadOnlyInline,
    StaffAdmin,
    TracedAdmin,
    give_reason,
    may_see_protected,
    shown,
    yes_or_no,
)
from customers.staff_forms import DetailsForm, ReasonForm, ReturnedForm


def exactly(term: str) -> Q:
    """Return the people that a number, e-mail, phone or national identity number points out.

    Whole values only; the national identity number is found by its keyed hash (PNR-02, D03).
    """
    text = term.strip()
    if "@" in text:
        return Q(email=text.casefold()) & ~Q(email="")
    found = Q(number=text.upper())
    with suppress(ValidationError):
        found |= Q(national_id_hash=crypto.lookup_hash(rules.clean_national_id(text)))
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


class SubscriptionInline(ReadOnlyInline):
    model = Subscription
    fields = ("product", "started_on", "ended_on", "collected", "last_day")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Fetch the products along."""
        return super().get_queryset(request).select_related("product").order_by("-started_on")


class OrderInline(ReadOnlyInline):
    model = Order
    fields = ("number", "product", "quantity", "ordered_on", "delivered_on", "last_day")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Fetch the products along."""
        return super().get_queryset(request).select_related("product").order_by("-ordered_on")


class InvoiceInline(ReadOnlyInline):
    model = Invoice
    fk_name = "customer"
    fields = ("number", "kind", "issued_on", "due_on", "paid_on", "amount", "last_day")
    ordering = ("-number",)

    @admin.display(description=_("belopp"))
    def amount(self, invoice: Invoice) -> str:
        """Return the total in kronor."""
        return words.amount(invoice.total_ore)


class SupportCaseInline(ReadOnlyInline):
    model = SupportCase
    fields = ("subject", "collected", "opened_at", "closed_on", "last_day")
    ordering = ("-opened_at",)
    has_own_words = True


@admin.register(Customer)
class CustomerAdmin(TracedAdmin):
    """People. Lists say the number and nothing that tells who it is."""

    # What follows from these acts is for the rooms above to add, in dentalclean.admin.
    correct_details = staticmethod(change_details)
    mail_returned = staticmethod(mark_returned)
    pages: tuple["PersonPage", ...] = ()

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
        (_("Personnummer"), {"fields": ("national_id", "national_id_used_on")}),
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
    national_id = shown(_("personnummer"), rules.masked_national_id)
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

    def get_queryset(self, request: HttpRequest) -> QuerySet[Customer]:
        """Return people with their relation."""
        return with_relation(super().get_queryset(request))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find by a whole value or not at all."""
        if not search_term.strip():
            return queryset, False
        return queryset.filter(exactly(search_term)), False

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

    def get_urls(self) -> list[URLPattern]:
        """Add the page that asks why and the page that corrects."""
        wrap = self.admin_site.admin_view
        return [
            path("<int:pk>/skal/", wrap(self.reason_view), name="customers_customer_reason"),
            path(
                "<path:object_id>/uppgifter/",
                wrap(self.details_view),
                name="customers_customer_details",
            ),
            path(
                "<path:object_id>/kom-tillbaka/",
                wrap(self.returned_view),
                name="customers_customer_returned",
            ),
            *(
                path(
                    f"<path:object_id>/{page.path}/",
                    wrap(partial(self.person_view, page=page)),
                    name=page.name,
                )
                for page in self.pages
            ),
            *super().get_urls(),
        ]

    def person_view(self, request: HttpRequest, object_id: str, page: "PersonPage") -> HttpResponse:
        """Show a page of a room above about a person, to who may open it."""
        person = self.get_object(request, unquote(object_id))
        if person is None:
            raise Http404
        if not page.may(request, person):
            raise PermissionDenied
        return self.traced(request, object_id, lambda: page.show(self, request, person))

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kw: Any) -> Any:
        """Offer to correct details to who may."""
        person = context.get("original")
        context["may_correct"] = person is not None and _may_correct(request, person)
        if person is not None:
            context["person_pages"] = [
                (reverse(f"admin:{page.name}", args=[person.pk]), page.link)
                for page in self.pages
                if page.may(request, person)
            ]
        return super().render_change_form(request, context, *args, **kw)

    def reason_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask why a person is read, and go on to the page."""
        person = Customer.objects.filter(pk=pk).first()
        if person is None:
            raise Http404
        form = ReasonForm(request.POST or None, label_suffix="")
        if form.is_valid():
            give_reason(request, person, form.cleaned_data["reason"], form.cleaned_data["words"])
            wanted = request.GET.get("next", "")
            if not url_has_allowed_host_and_scheme(wanted, None):
                wanted = reverse("admin:customers_customer_change", args=[pk])
            return redirect(wanted)
        return self.form_page(
            request,
            person,
            form,
            back=reverse("admin:customers_customer_changelist"),
            title=_("Varför tittar du på %(number)s?") % {"number": person.number},
            answer=_("Vi sparar dag och skäl i 24 månader. Kunden kan se dem."),
            submit=_("Visa"),
        )

    def details_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Correct a person's details on their word; what was is kept beside it (REC-01)."""
        person = self.get_object(request, unquote(object_id))
        if person is None:
            raise Http404
        if not _may_correct(request, person):
            raise PermissionDenied
        return self.traced(request, object_id, lambda: self._correct(request, person))

    def _correct(self, request: HttpRequest, person: Customer) -> HttpResponse:
        form = DetailsForm(request.POST or None, customer=person)
        if form.is_valid():
            try:
                changes = self.correct_details(
                    person,
                    form.values,
                    source=Source.STAFF,
                    collected=form.cleaned_data["collected"],
                    actor=request.user if isinstance(request.user, User) else None,
                    expected_version=form.cleaned_data["version"],
                )
            except StaleError as error:
                person.refresh_from_db()
                form = DetailsForm(
                    {**request.POST.dict(), "version": person.version}, customer=person
                )
                form.add_error(None, str(error))
            else:
                self._tell(request, person, [change.field for change in changes])
                return redirect(reverse("admin:customers_customer_change", args=[person.pk]))
        return self.form_page(
            request,
            person,
            form,
            back=reverse("admin:customers_customer_change", args=[person.pk]),
            title=_("Ändra uppgifter för %(number)s") % {"number": person.number},
            answer=_("Det som stod förut sparas bredvid, med dag och källa."),
            submit=_("Ändra uppgifterna"),
        )

    def returned_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Note that a letter, a mail or a call did not reach the person (RUL-28)."""
        person = self.get_object(request, unquote(object_id))
        if person is None:
            raise Http404
        if not _may_correct(request, person):
            raise PermissionDenied
        return self.traced(request, object_id, lambda: self._note_returned(request, person))

    def _note_returned(self, request: HttpRequest, person: Customer) -> HttpResponse:
        form = ReturnedForm(request.POST or None, customer=person)
        back = reverse("admin:customers_customer_change", args=[person.pk])
        if form.is_valid():
            kind, on = form.cleaned_data["kind"], form.cleaned_data["on"]
            if self.mail_returned(person, kind, on):
                model, column = RETURNED[kind]
                self.log_change(
                    request, person, [{"changed": {"fields": [column_label(model, column)]}}]
                )
                messages.success(
                    request, gettext("Klart. Vi skickar ingen reklam dit förrän vi får en ny.")
                )
            else:
                messages.info(request, gettext("Det är antecknat sedan tidigare."))
            return redirect(back)
        return self.form_page(
            request,
            person,
            form,
            back=back,
            title=_("Vad kom tillbaka från %(number)s?") % {"number": person.number},
            answer=_("Reklam den vägen slutar direkt. Nödvändiga brev får försökas igen."),
            submit=_("Anteckna"),
        )

    def _tell(self, request: HttpRequest, person: Customer, fields: list[str]) -> None:
        if not fields:
            messages.info(request, gettext("Inget var annorlunda, så inget är ändrat."))
            return
        labels = [
            column_label(Address if name in OF_THE_ADDRESS else Customer, name) for name in fields
        ]
        self.log_change(request, person, [{"changed": {"fields": labels}}])
        text = ngettext(
            "Klart. En uppgift är ändrad.", "Klart. %(n)s uppgifter är ändrade.", len(fields)
        )
        messages.success(request, text % {"n": words.in_words(len(fields))})

    def form_page(
        self,
        request: HttpRequest,
        person: Customer,
        form: Any,
        back: str,
        template: str = "admin/form.html",
        **words_of_page: Any,
    ) -> HttpResponse:
        """Return a page about a person with one form."""
        return TemplateResponse(
            request,
            template,
            {
                **self.admin_site.each_context(request),
                **words_of_page,
                "form": form,
                "person": person,
                "opts": self.opts,
                "back": back,
            },
        )


@dataclass(frozen=True)
class PersonPage:
    """A page of a room above beside a person's: its address, its link and who may open it."""

    path: str
    name: str
    link: Any
    may: Callable[[HttpRequest, Customer], bool]
    show: Callable[[CustomerAdmin, HttpRequest, Customer], HttpResponse]


# Where it is kept that something came back.
RETURNED: dict[str, tuple[type[Model], str]] = {
    Suppression.Kind.EMAIL: (Customer, "email_returned_on"),
    Suppression.Kind.PHONE: (Customer, "phone_returned_on"),
    Suppression.Kind.ADDRESS: (Address, "returned_on"),
}


def _may_correct(request: HttpRequest, person: Customer) -> bool:
    return request.user.has_perm("customers.change_customer") and may_see_protected(
        request.user, person
    )


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


@admin.register(Invoice)
class InvoiceAdmin(TracedAdmin):
    list_display = ("number", "kind", "issued_on", "due_on", "paid_on", "amount", "last_day")
    list_filter = ("kind",)
    search_fields = ("number",)
    search_help_text = _("Hela fakturanumret.")
    ordering = ("-number",)
    fields = (
        "number",
        "kind",
        "customer",
        "buyer_number",
        "buyer",
        "buyer_home",
        "issued_on",
        "due_on",
        "paid_on",
        "amount",
        "last_day",
    )
    buyer = shown(_("köpare på fakturan"), lambda invoice: invoice.buyer_name)
    buyer_home = shown(_("adress på fakturan"), lambda invoice: invoice.buyer_address)

    @admin.display(description=_("belopp"))
    def amount(self, invoice: Invoice) -> str:
        """Return the total in kronor."""
        return words.amount(invoice.total_ore)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find by the whole number or not at all."""
        term = search_term.strip()
        if not term:
            return queryset, False
        is_number = term.isascii() and term.isdigit() and len(term) < 19
        return (queryset.filter(number=int(term)) if is_number else queryset.none()), False


@admin.register(Product)
class ProductAdmin(StaffAdmin):
    list_display = ("code", "name", "similar_group")
    ordering = ("code",)


@admin.register(FiscalYear)
class FiscalYearAdmin(StaffAdmin):
    list_display = ("starts_on", "ends_on")
    ordering = ("-starts_on",)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse; invoices answer to the year as it was (BFL-01)."""
        return False


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
