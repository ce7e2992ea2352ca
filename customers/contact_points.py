"""How a person is reached, and whether the way itself carries a no (ERA-06, F16).

An e-mail address, a phone number and a postal address of somebody who said no and is gone live on
as keyed hashes. The key is in the settings and never reaches the database, so nobody reads an
address out of the list; whoever writes a contact point asks here, and keeps the day of the no
beside the value. A postal address is hashed together with the family name: the next people to live
there are not its subject.
"""

import hashlib
import hmac
import re
import unicodedata

from django.conf import settings

_FLAT_NUMBER = re.compile(r"\b(?:lgh|lght|lägenhet)\b\W*\w*")


def digest(kind: str, value: str) -> bytes:
    """Return the keyed hash of a contact point; its key is kept apart (ERA-06)."""
    text = f"{kind}:{value.strip().casefold()}"
    return hmac.digest(settings.SUPPRESSION_KEY, text.encode(), hashlib.sha256)


def postal(family_name: str, street: str, postcode: str) -> str:
    """Return what of a postal address stays the same however it is typed, "" when it says nothing.

    Letters and digits only, in one case, without the number of a flat.
    """
    street = _FLAT_NUMBER.sub("", unicodedata.normalize("NFKC", street).casefold())
    parts = [_signs(family_name), _signs(street), _signs(postcode)]
    return "|".join(parts) if all(parts) else ""


def _signs(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(sign for sign in folded if sign.isalnum())
