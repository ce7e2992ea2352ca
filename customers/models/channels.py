"""How a fact reached us, and who brought it."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Collected(models.TextChoices):
    """The channel by which data was collected (policy P08-P10)."""

    WEB = "web", _("på webben")
    PHONE = "phone", _("i telefon")
    SLIP = "slip", _("på en talong")
    PORTAL = "portal", _("på Min sida")
    EMAIL = "email", _("i mejl")
    SOCIAL = "social", _("i sociala medier")
    POST = "post", _("i brev")
    REGISTER = "register", _("från folkbokföringen")
    IMPORT = "import", _("från vårt tidigare register")


class Source(models.TextChoices):
    """Whose word a value rests on."""

    PERSON = "person", _("Dig")
    STAFF = "staff", _("Oss")
    REGISTER = "register", _("Folkbokföringen")
    IMPORT = "import", _("Vårt tidigare register")


class Channel(models.TextChoices):
    """A way to reach a person, or a place where data is used."""

    EMAIL = "email", _("E-post")
    SMS = "sms", _("Sms")
    PHONE = "phone", _("Telefon")
    POST = "post", _("Post")
    SOCIAL = "social", _("Sociala medier")
    PUSH = "push", _("Notiser i appen")
    WEB = "web", _("Webben")
    PORTAL = "portal", _("Min sida")
    INTERNAL = "internal", _("Hos oss")
