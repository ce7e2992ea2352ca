"""Does a message promote something? A plain list of what offers are made of (OBJ-03, policy K).

It stops what nobody meant to send as a notice; who writes one still reads it. Words that a notice
about advertising must use itself ("erbjudande", "reklam") are not on the list alone.
"""

import re

_SWEDISH = (
    r"rabattkod\w*",
    r"kampanjkod\w*",
    r"kampanjpris\w*",
    r"specialpris\w*",
    r"rea",
    r"\d+ ?(?:%|procent) rabatt",
    r"spara (?:upp till )?\d+",
    r"halva priset",
    r"fri frakt",
    r"gratis frakt",
    r"köp (?:nu|i dag|två|tre)",
    r"beställ (?:nu|redan i dag)",
    r"passa på",
    r"ta chansen",
    r"missa inte",
    r"bara (?:i dag|den här veckan)",
    r"(?:vårt|ett|särskilt) erbjudande (?:till|för) dig",
)
_ENGLISH = (
    r"discount codes?",
    r"promo(?:tion)? codes?",
    r"special (?:offer|price)s?",
    r"\d+ ?(?:%|per ?cent) (?:off|discount)",
    r"save (?:up to )?\W?\d+",
    r"half price",
    r"free (?:shipping|delivery)",
    r"(?:buy|order|shop) (?:now|today)",
    r"(?:do not|don['’]t) miss",
    r"today only",
    r"limited (?:time|offer)",
    r"(?:our|an|exclusive) offer (?:to|for) you",
)
_OFFER = re.compile(rf"(?<!\w)(?:{'|'.join((*_SWEDISH, *_ENGLISH))})(?!\w)", re.IGNORECASE)


def promotes(*texts: str) -> bool:
    """Say whether any of the texts makes an offer; line breaks and spaces count as one space."""
    return any(_OFFER.search(" ".join(text.split())) for text in texts)
