"""Pages beside a person's own: why it is read, and what every room lets staff do there."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _

from customers.locked import SEES_ARCHIVE, is_hidden
from customers.models import Customer
from customers.staff import TracedAdmin, give_reason
from customers.staff_forms import ReasonForm


class PersonAdmin(TracedAdmin):
    """A person with the pages of every room beside it, each read for a reason."""

    # The rooms above add theirs in dentalclean.admin.
    pages: tuple["PersonPage", ...] = ()

    def get_urls(self) -> list[URLPattern]:
        """Add the page that asks why and those of the rooms."""
        wrap = self.admin_site.admin_view
        return [
            path("<int:pk>/skal/", wrap(self.reason_view), name="customers_customer_reason"),
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

    def reason_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask why a person is read, and go on to the page."""
        person = Customer.objects.filter(pk=pk).first()
        # Finance gives its reason before an invoice of the archive (RUL-36).
        may_see = person is not None and (
            request.user.has_perm(SEES_ARCHIVE) or not is_hidden(request.user, person)
        )
        if person is None or not may_see:
            raise Http404
        form = ReasonForm(request.POST or None, label_suffix="")
        if form.is_valid():
            give_reason(request, person, form.cleaned_data["reason"], form.cleaned_data["words"])
            wanted = request.GET.get("next", "")
            if not url_has_allowed_host_and_scheme(wanted, None):
                wanted = page_of(person)
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

    def person_view(self, request: HttpRequest, object_id: str, page: "PersonPage") -> HttpResponse:
        """Show a page about a person to who may open it."""
        person = self.get_object(request, unquote(object_id))
        if person is None:
            raise Http404
        if not page.may(request, person):
            raise PermissionDenied
        return self.traced(request, object_id, lambda: page.show(self, request, person))

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kw: Any) -> Any:
        """Link to the pages that who asks may open."""
        person = context.get("original")
        if person is not None:
            context["person_pages"] = [
                (reverse(f"admin:{page.name}", args=[person.pk]), page.link)
                for page in self.pages
                if page.may(request, person)
            ]
        return super().render_change_form(request, context, *args, **kw)

    def form_page(
        self,
        request: HttpRequest,
        person: Customer,
        form: Any,
        back: str = "",
        template: str = "admin/form.html",
        **words_of_page: Any,
    ) -> HttpResponse:
        """Return a page about a person with one form; `back` is the person's own unless said."""
        return TemplateResponse(
            request,
            template,
            {
                **self.admin_site.each_context(request),
                **words_of_page,
                "form": form,
                "person": person,
                "opts": self.opts,
                "back": back or page_of(person),
            },
        )


@dataclass(frozen=True)
class PersonPage:
    """A page beside a person's: its address, its link, who may open it and what it shows."""

    path: str
    name: str
    link: Any
    may: Callable[[HttpRequest, Customer], bool]
    show: Callable[[PersonAdmin, HttpRequest, Customer], HttpResponse]


def page_of(person: Customer) -> str:
    """Return the address of a person's own page."""
    return reverse("admin:customers_customer_change", args=[person.pk])
