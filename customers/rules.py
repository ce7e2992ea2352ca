"""What may be written about a person, and how it is shown."""

import unicodedata
from datetime import date

import phonenumbers
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from email_validator import EmailNotValidError, validate_email
from stdnum import luhn
from stdnum.exceptions import ValidationError as NumberError

from customers import crypto
from customers.dates import today
from customers.models import Customer

LONGEST = {"given_name": 100, "family_name": 100, "street": 150, "city": 100}


def clean_line(value: str, longest: int) -> str:
    """Return one line of text without surrounding space; raises ValidationError.

    Refused are control characters, NUL and signs that turn the direction of the text (B11).
    """
    text = unicodedata.normalize("NFC", value).strip()
    if len(text) > longest:
        raise ValidationError(_("Skriv högst %(n)s tecken.") % {"n": longest})
    if any(unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Co", "Cn") for sign in text):
        raise ValidationError(_("Texten har tecken som inte går att läsa. Skriv den på nytt."))
    return text


def clean_email(value: str) -> str:
    """Return an e-mail address casefolded; raises ValidationError."""
    text = clean_line(value, 254)
    try:
        validate_email(
            text, check_deliverability=False, test_environment=True, allow_smtputf8=False
        )
    except EmailNotValidError as error:
        raise ValidationError(
            _("Skriv en e-postadress med @, till exempel namn@exempel.se.")
        ) from error
    return text.casefold()


def clean_phone(value: str) -> str:
    """Return a phone number in international form; raises ValidationError."""
    text = clean_line(value, 40)
    if not text:
        return ""
    sentence = _("Skriv ett telefonnummer, till exempel 070-174 06 35.")
    try:
        number = phonenumbers.parse(text, "SE")
    except phonenumbers.NumberParseException as error:
        raise ValidationError(sentence) from error
    if not phonenumbers.is_valid_number(number):
        raise ValidationError(sentence)
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def shown_phone(value: str) -> str:
    """Return a phone number the way people write it in Sweden."""
    if not value:
        return ""
    try:
        number = phonenumbers.parse(value, "SE")
    except phonenumbers.NumberParseException:
        return value
    national = number.country_code == 46
    form = phonenumbers.PhoneNumberFormat
    return str(
        phonenumbers.format_number(number, form.NATIONAL if national else form.INTERNATIONAL)
    )


def clean_postcode(value: str) -> str:
    """Return a Swedish postcode as five digits; raises ValidationError."""
    digits = clean_line(value, 12).replace(" ", "")
    if len(digits) != 5 or not digits.isascii() or not digits.isdigit() or digits[0] == "0":
        raise ValidationError(_("Skriv postnumret med fem siffror, till exempel 582 22."))
    return digits


def clean_national_id(value: str, on: date | None = None) -> str:
    """Return a national identity or coordination number in twelve digits (PNR-02).

    Raises ValidationError. Ten digits get the latest century that does not lie ahead, "+" one more
    back.
    """
    sentence = _("Skriv personnumret med tolv siffror, till exempel 19900602-2397.")
    text = clean_line(value, 13)
    digits = "".join(sign for sign in text if sign.isdigit())
    if len(digits) not in (10, 12) or any(sign not in "0123456789-+" for sign in text):
        raise ValidationError(sentence)
    day = int(digits[-4 - 2 : -4])
    real_day = day - 60 if day > 60 else day
    as_person = f"{digits[:-6]}{real_day:02d}"
    day_on = on or today()
    if len(digits) == 10:
        century = day_on.year // 100
        for back in (0, 1):
            full = f"{century - back:02d}{as_person}"
            if full <= day_on.strftime("%Y%m%d"):
                break
        if "+" in text:
            full = f"{int(full[:2]) - 1:02d}{full[2:]}"
        as_person = full
    try:
        born = date(int(as_person[:4]), int(as_person[4:6]), int(as_person[6:8]))
    except ValueError as error:
        raise ValidationError(sentence) from error
    whole = f"{as_person[:6]}{day:02d}{digits[-4:]}"
    if born > day_on or digits[-4:-1] == "000" or not _luhn_holds(whole[2:]):
        raise ValidationError(sentence)
    return whole


def born(national_id: str) -> date:
    """Return the birth date that a number of twelve digits tells, be it a coordination number."""
    day = int(national_id[6:8])
    return date(int(national_id[:4]), int(national_id[4:6]), day - 60 if day > 60 else day)


def _luhn_holds(ten_digits: str) -> bool:
    try:
        luhn.validate(ten_digits)
    except NumberError:
        return False
    return True


def national_id(customer: Customer) -> str:
    """Return the person's national identity number in twelve digits, or an empty text."""
    if customer.national_id_sealed is None:
        return ""
    return crypto.unseal(
        bytes(customer.national_id_sealed),
        ring=settings.FIELD_KEYS,
        bound_to=f"national_id:{customer.pseudonym}",
    ).decode()


def masked_national_id(customer: Customer) -> str:
    """Return it as 19900602-****, which is how it is shown (B12)."""
    number = national_id(customer)
    return f"{number[:8]}-****" if number else ""
