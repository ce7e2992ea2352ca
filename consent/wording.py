"""What people are told the first time we collect their data, per channel and language.

In writing we say all of it. On the phone, on a slip and in social media there is only room for the
first layer; the rest follows in writing, with a link (INF-04).
"""

from customers.models.channels import Collected

VERSION = "2026-12"
EFFECTIVE_ON = "2026-11-24"

_OPENING_SV = {
    Collected.WEB: "Tack för din beställning. Så här använder vi dina uppgifter.",
    Collected.PORTAL: "Så här använder vi det du skriver på Min sida.",
    Collected.EMAIL: "Tack för ditt mejl. Så här använder vi dina uppgifter.",
    Collected.POST: "Så här använder vi de uppgifter du har lämnat till oss.",
    Collected.REGISTER: "Vi har fått dina uppgifter från folkbokföringen. Så här använder vi dem.",
    Collected.IMPORT: "Vi har flyttat dina uppgifter till ett nytt system. Så här använder vi dem.",
}
_BODY_SV = (
    "Vi använder namn, adress, e-post och telefon för att leverera det du köper, svara på frågor "
    "och sköta bokföringen. Vi får också berätta om egna erbjudanden i högst tre år efter att du "
    "slutat vara kund. Du kan säga nej till all reklam när du vill: på Min sida, i varje utskick "
    "eller hos kundservice. Ett nej gäller direkt. Du väljer själv hur vi får kontakta dig under "
    "Mina val på Min sida. Där ser du också allt vi vet om dig, varför, hur länge och vem som har "
    "fått det. Du kan rätta, ta ut, begränsa och radera. Är du missnöjd kan du klaga hos "
    "Integritetsskyddsmyndigheten, IMY."
)
_SHORT_SV = {
    # Read aloud in less than half a minute.
    Collected.PHONE: (
        "Jag ska berätta kort hur vi använder dina uppgifter. Vi behöver dem för att leverera det "
        "du köper, svara dig och sköta bokföringen. Vi kan också höra av oss med egna erbjudanden. "
        "Det säger du nej till när du vill, också nu direkt till mig. Du får allt det här "
        "skriftligt, och där ser du hur du väljer själv."
    ),
    # Fits on a slip of paper, under the lines to fill in.
    Collected.SLIP: (
        "Vi sparar det du skriver på talongen, för din beställning, bokföringen och egna "
        "erbjudanden. Vill du inte ha reklam? Säg nej hos kundservice eller på Min sida när du "
        "vill. Resten om hur vi använder dina uppgifter skickar vi till dig."
    ),
    # A reply that others may read too.
    Collected.SOCIAL: (
        "Tack för ditt meddelande. Vi använder det bara för att svara dig. Skriv inget känsligt "
        "här, för andra kan läsa det. Reklam säger du nej till när du vill. Hur vi använder "
        "uppgifter läser du på Min sida."
    ),
}
_OPENING_EN = {
    Collected.WEB: "Thank you for your order. This is how we use your details.",
    Collected.PORTAL: "This is how we use what you write on My page.",
    Collected.EMAIL: "Thank you for your e-mail. This is how we use your details.",
    Collected.POST: "This is how we use the details you have given us.",
    Collected.REGISTER: (
        "We have got your details from the population register. This is how we use them."
    ),
    Collected.IMPORT: "Your details have moved to a new system. This is how we use them.",
}
_BODY_EN = (
    "We use your name, address, e-mail and telephone to deliver what you buy, answer questions and "
    "keep the books. We may also tell you about our own offers for at most three years after you "
    "stop being a customer. You can say no to all advertising whenever you like: on My page, in "
    "every message or through customer service. A no takes effect at once. You choose how we may "
    "contact you under My choices on My page. There you also see all we know about you, why, for "
    "how long and who has been given it. You can correct, take out, limit and delete it. If you "
    "are not satisfied you can complain to the Swedish Authority for Privacy Protection, IMY."
)


_SHORT_EN = {
    Collected.PHONE: (
        "Let me briefly say how we use your details. We need them to deliver what you buy, to "
        "answer you and to keep the books. We may also get in touch with our own offers. You can "
        "say no to that whenever you like, to me now as well. You get all of this in writing, and "
        "there you see how to choose for yourself."
    ),
    Collected.SLIP: (
        "We keep what you write on the slip, for your order, the bookkeeping and our own offers. "
        "Do you not want advertising? Say no to customer service or on My page whenever you like. "
        "We send you the rest of how we use your details."
    ),
    Collected.SOCIAL: (
        "Thank you for your message. We use it only to answer you. Write nothing sensitive here, "
        "since others can read it. You can say no to advertising whenever you like. How we use "
        "details you read on My page."
    ),
}


def texts() -> dict[tuple[str, str], str]:
    """Return every notice of the current version by collection channel and language."""
    found = {(c.value, "sv"): f"{opening} {_BODY_SV}" for c, opening in _OPENING_SV.items()}
    found |= {(c.value, "en"): f"{opening} {_BODY_EN}" for c, opening in _OPENING_EN.items()}
    found |= {(c.value, "sv"): text for c, text in _SHORT_SV.items()}
    return found | {(c.value, "en"): text for c, text in _SHORT_EN.items()}
