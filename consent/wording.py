"""The short notice people get the first time we collect their data, per channel and language."""

from customers.models.channels import Collected

VERSION = "2026-12"
EFFECTIVE_ON = "2026-11-24"

_OPENING_SV = {
    Collected.WEB: "Tack för din beställning. Så här använder vi dina uppgifter.",
    Collected.PHONE: "Så här använder vi dina uppgifter. Du får det också skriftligt.",
    Collected.SLIP: "När du skickar talongen sparar vi det du har skrivit på den.",
    Collected.PORTAL: "Så här använder vi det du skriver på Min sida.",
    Collected.EMAIL: "Du har mejlat oss. Så här använder vi dina uppgifter.",
    Collected.SOCIAL: "Du har skrivit i sociala medier. Så här använder vi dina uppgifter.",
    Collected.POST: "Du har skrivit till oss. Så här använder vi dina uppgifter.",
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
_OPENING_EN = {
    Collected.WEB: "Thank you for your order. This is how we use your details.",
    Collected.PHONE: "Let me briefly say how we use your details. You also get it in writing.",
    Collected.SLIP: "When you send the slip we keep what you have written on it.",
    Collected.PORTAL: "This is how we use what you write on My page.",
    Collected.EMAIL: "You have e-mailed us. This is how we use your details.",
    Collected.SOCIAL: "You wrote to us on social media. This is how we use your details.",
    Collected.POST: "You have written to us. This is how we use your details.",
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


def texts() -> dict[tuple[str, str], str]:
    """Return every notice of the current version by collection channel and language."""
    swedish = {(c.value, "sv"): f"{opening} {_BODY_SV}" for c, opening in _OPENING_SV.items()}
    english = {(c.value, "en"): f"{opening} {_BODY_EN}" for c, opening in _OPENING_EN.items()}
    return swedish | english
