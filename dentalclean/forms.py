"""The forms of Min sida: one thing to change per page, and the sign-in."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from allauth.account.forms import ConfirmLoginCodeForm, RequestLoginCodeForm
from allauth.account.internal.userkit import filter_users_by_email
from allauth.core import context, ratelimit
from allauth.core.exceptions import ImmediateHttpResponse
from django import forms
from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from customers.models import Address, Customer
from customers.rules import (
    LONGEST,
    clean_email,
    clean_line,
    clean_phone,
    clean_postcode,
    shown_phone,
)

Cleaner = Callable[[str], str]


class CleanField(forms.CharField):
    """A line of text that the rules of `customers` clean and refuse; what was typed survives."""

    def __init__(self, rule: Cleaner, autocomplete: str, **kwargs: Any) -> None:
        self.rule = rule
        super().__init__(strip=False, **kwargs)
        self.widget.attrs["autocomplete"] = autocomplete
        self.error_messages.setdefault("required", "")

    def clean(self, value: Any) -> str:
        """Clean by the rule first, so that its sentence is the one that is said."""
        cleaned = self.rule(str(value or ""))
        if self.required and not cleaned:
            raise ValidationError(self.error_messages["required"], code="required")
        return cleaned


def _line(name: str) -> Cleaner:
    return lambda value: clean_line(value, LONGEST[name])


class EditForm(forms.Form):
    """One thing to change; the hidden version tells whether somebody else was faster (B07)."""

    columns: tuple[str, ...] = ()
    version = forms.IntegerField(
        widget=forms.HiddenInput,
        min_value=0,
        max_value=2**31 - 1,
        error_messages={"required": _("Ladda om sidan och skriv på nytt.")},
    )

    def new_values(self) -> dict[str, str]:
        """Return the cleaned values by column."""
        return {column: self.cleaned_data[column] for column in self.columns}


class NameForm(EditForm):
    """The person's name."""

    columns = ("given_name", "family_name")
    given_name = CleanField(
        _line("given_name"),
        "given-name",
        label=_("Förnamn"),
        error_messages={"required": _("Skriv ditt förnamn.")},
    )
    family_name = CleanField(
        _line("family_name"),
        "family-name",
        label=_("Efternamn"),
        error_messages={"required": _("Skriv ditt efternamn.")},
    )


class EmailForm(EditForm):
    """The address that mails go to and that one signs in with."""

    columns = ("email",)
    email = CleanField(
        clean_email,
        "email",
        label=_("E-postadress"),
        widget=forms.TextInput(attrs={"inputmode": "email", "spellcheck": "false"}),
    )


class PhoneForm(EditForm):
    """The mobile number; empty takes it away."""

    columns = ("phone",)
    phone = CleanField(
        clean_phone,
        "tel",
        label=_("Mobilnummer"),
        help_text=_("Lämna tomt om vi inte ska ha något nummer."),
        widget=forms.TextInput(attrs={"inputmode": "tel"}),
        required=False,
    )


class AddressForm(EditForm):
    """The address that parcels and letters go to."""

    columns = ("street", "postcode", "city")
    street = CleanField(
        _line("street"),
        "street-address",
        label=_("Gata och nummer"),
        error_messages={"required": _("Skriv gata och nummer, till exempel Björkgatan 4.")},
    )
    postcode = CleanField(
        clean_postcode,
        "postal-code",
        label=_("Postnummer"),
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
    )
    city = CleanField(
        _line("city"),
        "address-level2",
        label=_("Ort"),
        error_messages={"required": _("Skriv orten, till exempel Linköping.")},
    )


class LanguageForm(EditForm):
    """The language of mails and letters."""

    columns = ("language",)
    language = forms.ChoiceField(
        label=_("Språk"),
        choices=[("sv", "Svenska"), ("en", "English")],
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Välj svenska eller engelska."),
            "invalid_choice": _("Välj svenska eller engelska."),
        },
    )


class EmailCodeForm(forms.Form):
    """The code that shows that a new address is the person's own."""

    code = forms.CharField(
        label=_("Kod"),
        help_text=_("Sex siffror, från mejlet till den nya adressen."),
        max_length=40,
        error_messages={
            "required": _("Skriv koden från mejlet, sex siffror."),
            "max_length": _("Skriv koden från mejlet, sex siffror."),
        },
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "class": "code"}
        ),
    )

    def clean_code(self) -> str:
        """Return the digits alone, however they were spaced."""
        return "".join(sign for sign in self.cleaned_data["code"] if sign.isdigit())


@dataclass(frozen=True)
class Edit:
    """What can be changed in place: its page in words, its form and its value now."""

    name: str | Promise
    question: str | Promise
    answer: str | Promise
    save: str | Promise
    done: str | Promise
    form: type[EditForm]
    value: Callable[[Customer], str]


def home_of(customer: Customer) -> Address | None:
    """Return the person's address."""
    return customer.addresses.filter(kind=Address.Kind.HOME).first()


def _address_line(customer: Customer) -> str:
    home = home_of(customer)
    return home.line if home else ""


def initial(customer: Customer, form: type[EditForm]) -> dict[str, Any]:
    """Return what the fields of a form hold now."""
    values: dict[str, Any] = {"version": customer.version}
    home = home_of(customer) if form is AddressForm else None
    for column in form.columns:
        owner: Any = home if form is AddressForm else customer
        values[column] = getattr(owner, column) if owner else ""
    if values.get("postcode"):
        values["postcode"] = f"{values['postcode'][:3]} {values['postcode'][3:]}"
    if "phone" in values:
        values["phone"] = shown_phone(values["phone"])
    return values


EDITS: dict[str, Edit] = {
    "namn": Edit(
        name=_("namnet"),
        question=_("Vad heter du?"),
        answer=_("Vi använder det nya namnet direkt. Fakturor du redan fått ändras inte."),
        save=_("Spara namnet"),
        done=_("Klart. Vi har sparat ditt nya namn."),
        form=NameForm,
        value=lambda customer: customer.name,
    ),
    "e-post": Edit(
        name=_("e-postadressen"),
        question=_("Vilken e-postadress har du?"),
        answer=_(
            "Vi mejlar en kod till den nya adressen. När du har skrivit den loggar du in med den "
            "adressen. Din förra adress får veta det och kan ta tillbaka bytet i sju dagar. Så "
            "länge väntar också utdrag och radering."
        ),
        save=_("Mejla en kod dit"),
        done=_("Klart. Du loggar in med den nya adressen från nu."),
        form=EmailForm,
        value=lambda customer: customer.email,
    ),
    "mobil": Edit(
        name=_("mobilnumret"),
        question=_("Vilket mobilnummer har du?"),
        answer=_("Vi använder det nya numret direkt. Det gamla ringer vi inte mer."),
        save=_("Spara mobilnumret"),
        done=_("Klart. Vi har sparat ditt mobilnummer."),
        form=PhoneForm,
        value=lambda customer: shown_phone(customer.phone),
    ),
    "adress": Edit(
        name=_("adressen"),
        question=_("Var bor du?"),
        answer=_("Nästa leverans går till den nya adressen. Det som redan är skickat ändras inte."),
        save=_("Spara adressen"),
        done=_("Klart. Vi har sparat din nya adress."),
        form=AddressForm,
        value=_address_line,
    ),
    "sprak": Edit(
        name=_("språket"),
        question=_("Vilket språk ska vi skriva på?"),
        answer=_("Det gäller mejl och brev från oss. Språket på sidan väljer du högst upp."),
        save=_("Spara språket"),
        done=_("Klart. Vi har sparat språket."),
        form=LanguageForm,
        value=lambda customer: str(customer.get_language_display()),
    ),
}


# Signing in


class SignInForm(RequestLoginCodeForm):  # type: ignore[misc]
    """The address to send a code to; it says the same whether or not we know the address (A01)."""

    email = CleanField(
        clean_email,
        "email",
        label=_("E-postadress"),
        widget=forms.TextInput(
            attrs={"inputmode": "email", "spellcheck": "false", "autocapitalize": "none"}
        ),
    )

    def clean_email(self) -> str:
        """Find the account, within the limits per address."""
        email = str(self.cleaned_data["email"])
        request = context.request
        if not ratelimit.consume(request, action="request_login_code", key=email):
            raise ImmediateHttpResponse(ratelimit.respond_429(request))
        users = filter_users_by_email(email, is_active=True, prefer_verified=True, for_login=True)
        self._user = users[0] if users else None
        return email


class CodeForm(ConfirmLoginCodeForm):  # type: ignore[misc]
    """The code that was e-mailed, however it is spaced."""

    code = forms.CharField(
        label=_("Kod"),
        help_text=_("Sex siffror."),
        max_length=40,
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "class": "code"}
        ),
        error_messages={
            "required": _("Skriv koden, sex siffror."),
            "max_length": _("Skriv koden, sex siffror."),
        },
    )

    def clean_code(self) -> str:
        """Compare digits only."""
        self.cleaned_data["code"] = "".join(c for c in self.cleaned_data["code"] if c.isdigit())
        try:
            return str(super().clean_code())
        except ValidationError as wrong:
            raise ValidationError(
                _("Koden stämmer inte. Titta i det senaste mejlet och skriv de sex siffrorna igen.")
            ) from wrong
