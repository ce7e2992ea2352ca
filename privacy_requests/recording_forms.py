"""What staff fill in when a person has said something: first what, then when and the proof."""

from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy
from django.utils.translation import gettext_lazy as _

from consent import choices
from consent.choice_words import GROUPS
from consent.purposes import Use, chosen_uses
from customers import rules
from customers.dates import today
from customers.models import Customer
from customers.models.channels import Collected
from privacy_requests.objections import OBJECTABLE
from privacy_requests.recording import WAYS, Statement, Verb, script

LONGEST = 2000
FORMAT = "%Y-%m-%dT%H:%M"
# What counts as proof of each way (CON-02).
EVIDENCE = {
    Collected.PHONE: (
        _("Samtalsanteckning"),
        _("Vad sa kunden, med egna ord?"),
    ),
    Collected.SLIP: (
        _("Talongen"),
        _("Talongens nummer eller var den skannade talongen ligger."),
    ),
    Collected.EMAIL: (_("Mejlet"), _("Mejlets referens, och vad kunden skrev.")),
    Collected.POST: (_("Brevet"), _("Brevets referens, och vad kunden skrev.")),
    Collected.SOCIAL: (_("Meddelandet"), _("Var meddelandet finns, och vad kunden skrev.")),
}


def _about() -> list[Any]:
    uses = list(chosen_uses())
    return [
        ("", "–"),
        *(
            (
                group.title,
                [
                    (f"{use.purpose}-{use.channel}", choices.name(use))
                    for code in group.purposes
                    for use in uses
                    if use.purpose == code
                ],
            )
            for group in GROUPS
        ),
        (gettext("Hela ändamål, för en invändning"), [(p.code, p.name) for p in OBJECTABLE]),
    ]


class StatementForm(forms.Form):
    """What a person said and how; an unclear no is a no to all (OBJ-02)."""

    verb = forms.ChoiceField(
        label=_("Vad sa kunden"),
        choices=Verb.choices,
        initial=Verb.NO_TO_ALL,
        widget=forms.RadioSelect,
    )
    about = forms.ChoiceField(
        label=_("Om vad"),
        choices=_about,
        required=False,
        help_text=_("För ett ja, ett nej till en sak eller en invändning."),
    )
    collected = forms.ChoiceField(
        label=_("På vilket sätt"), choices=[(way.value, way.label) for way in WAYS]
    )

    def clean(self) -> dict[str, Any]:
        """Ask for what the verb speaks of."""
        given = self.cleaned_data
        if self.errors:
            return given
        verb, about = Verb(given["verb"]), given["about"]
        wants_use, is_use = verb in (Verb.YES, Verb.NO), "-" in about
        if wants_use and not is_use:
            self.add_error("about", _("Välj vad svaret gäller."))
        elif verb is Verb.OBJECTION and (is_use or not about):
            self.add_error("about", _("Välj ett helt ändamål, längst ner i listan."))
        elif verb is Verb.TOLD and given["collected"] != Collected.PHONE:
            self.add_error("collected", _("Informationen läses bara upp i telefon."))
        return given

    @property
    def statement(self) -> Statement:
        """What was said, once the form is valid."""
        given = self.cleaned_data
        verb, about = Verb(given["verb"]), given["about"]
        use = Use(*about.split("-")) if verb in (Verb.YES, Verb.NO) else None
        purpose = about if verb is Verb.OBJECTION else ""
        return Statement(verb, given["collected"], use, purpose)


class ProofForm(forms.Form):
    """When a person said it, and the proof of it."""

    at = forms.DateTimeField(
        label=_("När"),
        input_formats=[FORMAT],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format=FORMAT),
        error_messages={"invalid": gettext_lazy("Skriv dag och klockslag.")},
    )
    evidence = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 5}),
        error_messages={"required": gettext_lazy("Skriv underlaget. Utan det räknas det inte.")},
    )
    # The wording that was read out, should another one come into force meanwhile.
    notice = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, data: Any = None, *, customer: Customer, said: Statement) -> None:
        self.customer, self.said = customer, said
        self.read = script(customer, said, today())
        now = timezone.localtime().replace(second=0, microsecond=0)
        initial = {"at": now, "notice": self.read[0].pk if self.read else None}
        super().__init__(data, initial=initial, label_suffix="")
        evidence = self.fields["evidence"]
        evidence.label, evidence.help_text = EVIDENCE[Collected(said.collected)]

    def clean_at(self) -> datetime:
        """Refuse a moment that has not come, and one before the person was known to us."""
        at: datetime = self.cleaned_data["at"]
        if at > timezone.now():
            raise ValidationError(_("Tiden har inte varit än. Skriv när kunden sa det."))
        if at < self.customer.created_at.replace(second=0, microsecond=0):
            raise ValidationError(_("Då fanns kunden inte hos oss. Skriv när kunden sa det."))
        return at

    def clean_evidence(self) -> str:
        """Return the words, a line for each line, without signs that cannot be read."""
        text: str = self.cleaned_data["evidence"]
        if len(text) > LONGEST:
            raise ValidationError(_("Skriv högst %(n)s tecken.") % {"n": LONGEST})
        lines = [rules.clean_line(line, LONGEST) for line in text.splitlines()]
        if not any(sign.isalnum() for sign in text):
            raise ValidationError(self.fields["evidence"].error_messages["required"])
        return "\n".join(lines).strip()

    def clean(self) -> dict[str, Any]:
        """Refuse a yes that opens nothing, and words that are not the ones in force."""
        if self.read and self.cleaned_data.get("notice") != self.read[0].pk:
            raise ValidationError(_("Texten att läsa upp är ny. Läs upp den som står här nu."))
        use = self.said.use
        if (
            self.said.verb is Verb.YES
            and use
            and not choices.is_open_to_a_yes(self.customer, use, today())
        ):
            raise ValidationError(
                _("Ett ja öppnar inget nu, så det går inte att skriva in. Kunden ser: %(why)s")
                % {"why": choices.shown(self.customer, use, today())}
            )
        return self.cleaned_data
