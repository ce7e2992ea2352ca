"""A receipt as a program reads and checks it.

The document is JSON-LD with its context inside, so nothing is fetched to understand it. Its fields
carry the names of ISO/IEC TS 27560:2023 (schema_version, record_id, receipt_id, pii_principal_id,
pii_processing with privacy_notice, purposes, lawful_basis, pii_information, pii_controllers,
recipient_third_parties, withdrawal_method and privacy_rights, party_identification, event with
event_time, event_type, event_state, entity_id and validity_duration); the context says what each is
in the W3C group's Data Privacy Vocabulary (DPV 2, guide consent-27560):

- a yes, taken back or without proof: dpv:ConsentReceipt and dpv:ConsentRecord, dpv:hasConsentStatus
  ConsentGiven, ConsentWithdrawn, ConsentRefused, ConsentInvalidated (a no stands above it) or
  ConsentUnknown, type eu-gdpr:A6-1-a;
- objections and limits: dpv:RightExerciseRecord of a dpv:RightExerciseActivity, dpv:hasRight
  eu-gdpr:A21 or eu-gdpr:A18, dpv:hasStatus RequestFulfilled or ActivityCompleted;
- information given: dpv:DataProcessingRecord, dpv:hasRight eu-gdpr:A13 or A14, EntityInformed.

The person is a name used on receipts only (dpv:hasDataSubject); no name, address or e-mail stands
in it. The words shown at a yes do; what somebody wrote does not, for it may name people.
"""

from datetime import UTC
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from consent.models import Authority, Event
from consent.purposes import BY_CODE, CATALOGUE, Basis, Objection, Purpose
from consent.receipt_keys import Document, ring, sign
from consent.receipt_words import GROUNDS
from consent.receipts import Receipt
from customers.models.channels import Channel, Collected
from customers.models.people import Restriction
from customers.words import controller

Kind = Event.Kind
LIMITS = (Kind.RESTRICTED, Kind.UNRESTRICTED)

SCHEMA = "schemas/receipt-1.schema.json"
IMY = "https://www.imy.se/"
IMY_COMPLAINT = "https://www.imy.se/privatperson/utfora-arenden/lamna-ett-klagomal/"

CONSENT, RIGHT, NOTICE = "consent", "right", "notice"

TYPES = {
    CONSENT: ["dpv:ConsentReceipt", "dpv:ConsentRecord"],
    RIGHT: ["dpv:RightExerciseRecord"],
    NOTICE: ["dpv:DataProcessingRecord"],
}
ACTIVITY = {CONSENT: "dpv:Consent", RIGHT: "dpv:RightExerciseActivity", NOTICE: "dpv:Notice"}
STATES = {
    Kind.CONSENT_GIVEN: "dpv:ConsentGiven",
    Kind.CONSENT_WITHDRAWN: "dpv:ConsentWithdrawn",
    Kind.UNPROVEN: "dpv:ConsentUnknown",
    Kind.OBJECTED: "dpv:RequestFulfilled",
    Kind.UNSUBSCRIBED: "dpv:RequestFulfilled",
    Kind.OBJECTED_TO_USE: "dpv:RequestFulfilled",
    Kind.RESTRICTED: "dpv:RequestFulfilled",
    Kind.UNRESTRICTED: "dpv:ActivityCompleted",
    Kind.NOTICE_SERVED: "dpv:EntityInformed",
    Kind.SOFT_OPT_IN: "dpv:EntityInformed",
}
LAWFUL = {
    Basis.CONTRACT: "eu-gdpr:A6-1-b",
    Basis.LEGAL_OBLIGATION: "eu-gdpr:A6-1-c",
    Basis.LEGITIMATE_INTEREST: "eu-gdpr:A6-1-f",
    Basis.CONSENT: "eu-gdpr:A6-1-a",
}
PURPOSES = {
    "C": "dpv:ImproveExistingProductsAndServices",
    "D": "dpv:ServiceUsageAnalytics",
    "E": "dpv:ServiceUsageAnalytics",
    "F": "dpv:PersonalisedBenefits",
    "G": "dpv:DirectMarketing",
    "H": "dpv:DirectMarketing",
    "I": "dpv:ProvidePersonalisedRecommendations",
    "J": "dpv:OptimiseUserInterface",
    "P": "dpv:Marketing",
}


def _reference(iri: str) -> dict[str, str]:
    return {"@id": iri, "@type": "@id"}


_CONTEXT: dict[str, Any] = {
    "dpv": "https://w3id.org/dpv#",
    "eu-gdpr": "https://w3id.org/dpv/legal/eu/gdpr#",
    "loc": "https://w3id.org/dpv/loc#",
    "dct": "http://purl.org/dc/terms/",
    "schema": "https://schema.org/",
    "sec": "https://w3id.org/security#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "schema_version": _reference("dct:conformsTo"),
    "record_id": "dct:identifier",
    "receipt_id": "dpv:hasIdentifier",
    "pii_principal_id": _reference("dpv:hasDataSubject"),
    "language": "dct:language",
    "title": "dct:title",
    "description": "dct:description",
    "pii_processing": "dpv:hasProcess",
    "privacy_notice": "dpv:hasNotice",
    "version": "dct:hasVersion",
    "text": "schema:text",
    "digest": "sec:digestValue",
    "purposes": "dpv:hasPurpose",
    "code": "dct:identifier",
    "lawful_basis": _reference("dpv:hasLegalBasis"),
    "pii_information": "dpv:hasPersonalData",
    "pii_controllers": _reference("dpv:hasDataController"),
    "recipient_third_parties": "dpv:hasRecipientThirdParty",
    "channel": "dct:medium",
    "jurisdiction": _reference("dpv:hasJurisdiction"),
    "privacy_rights": "dpv:hasRight",
    "withdrawal_method": _reference("dpv:isExercisedAt"),
    "party_identification": "dpv:hasEntity",
    "party_id": "dpv:hasIdentifier",
    "party_name": "dpv:hasName",
    "party_address": "dpv:hasAddress",
    "party_email": "schema:email",
    "party_phone": "schema:telephone",
    "party_url": _reference("schema:url"),
    "event": "dct:hasPart",
    "event_time": {"@id": "dpv:isIndicatedAtTime", "@type": "xsd:dateTime"},
    "entity_id": _reference("dpv:isIndicatedBy"),
    "collection_method": "dpv:hasIndicationMethod",
    "validity_duration": "dpv:hasDuration",
    "ground": "dpv:hasJustification",
    "words_shown": {"@id": "schema:citation", "@container": "@list"},
    "proof": "sec:proof",
    "type": "sec:cryptosuite",
    "key_id": "sec:keyId",
    "created_by": _reference("sec:verificationMethod"),
    "check_at": _reference("schema:url"),
    "signature": "sec:proofValue",
}
CONTEXTS = {
    CONSENT: _CONTEXT
    | {
        "event_type": _reference("dpv:hasLegalBasis"),
        "event_state": _reference("dpv:hasConsentStatus"),
    },
    RIGHT: _CONTEXT
    | {"event_type": _reference("dpv:hasRight"), "event_state": _reference("dpv:hasStatus")},
    NOTICE: _CONTEXT
    | {"event_type": _reference("dpv:hasRight"), "event_state": _reference("dpv:hasStatus")},
}


def document(receipt: Receipt) -> Document:
    """Return the signed JSON-LD form."""
    event, family, number = receipt.event, _family(receipt.event), str(receipt.number)
    person = ring()[0].name_of(event.customer_id).urn
    return sign(
        {
            "@context": CONTEXTS[family],
            "@id": f"urn:uuid:{number}",
            "@type": TYPES[family],
            "schema_version": schema_url(),
            "receipt_id": number,
            "record_id": number,
            "language": translation.get_language() or settings.LANGUAGE_CODE,
            "pii_principal_id": person,
            "title": receipt.title,
            "description": [*receipt.meaning, receipt.undo],
            "pii_processing": [_processing(receipt)],
            "party_identification": [*_parties(), {"@id": person, "@type": "dpv:DataSubject"}],
            "event": _event(receipt, family, person),
            "proof": {
                "created_by": settings.SITE_URL + reverse("receipts:keys"),
                "check_at": receipt.check_url,
            },
        }
    )


def _processing(receipt: Receipt) -> Document:
    event = receipt.event
    purposes = _purposes(event)
    about: Document = {
        "@type": "dpv:Process",
        "purposes": [_purpose(purpose) for purpose in purposes],
        "lawful_basis": sorted({LAWFUL[purpose.basis] for purpose in purposes}),
        "pii_information": [
            {"@type": "dpv:PersonalData", "title": str(category.label)}
            for category in sorted({c for p in purposes for c in (*p.keeps, *p.uses)})
        ],
        "pii_controllers": [_controller_id()],
        "jurisdiction": "loc:SE",
        "privacy_rights": [_right(article) for article in _rights(event)],
    }
    if event.channel:
        about["channel"] = str(Channel(event.channel).label)
    if event.third_party:
        about["recipient_third_parties"] = [
            {"@type": "dpv:ThirdParty", "party_name": event.third_party}
        ]
    if event.notice:
        about["privacy_notice"] = {
            "@type": "dpv:PrivacyNotice",
            "version": receipt.version,
            "language": event.notice.language,
            "text": event.notice.text,
            "digest": event.notice.content_hash,
        }
    return about


def _event(receipt: Receipt, family: str, person: str) -> Document:
    event = receipt.event
    own = event.authority == Authority.PERSON
    told: Document = {
        "@type": ACTIVITY[family],
        "event_time": event.at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "event_type": _event_type(event),
        "event_state": _state(receipt),
        "entity_id": person if own else _controller_id(),
        "collection_method": receipt.how,
        "validity_duration": {
            "@type": "dpv:UntilEventDuration",
            "description": receipt.holds_until,
        },
        "digest": bytes(event.digest).hex(),
    }
    if event.ground:
        told["ground"] = str(GROUNDS[Restriction(event.ground)])
    if receipt.words and receipt.are_shown_words:
        told["words_shown"] = receipt.words
    return told


def schema_url() -> str:
    """Return where the schema of the document is published."""
    return f"{settings.SITE_URL}{settings.STATIC_URL}{SCHEMA}"


def _family(event: Event) -> str:
    if event.kind in (Kind.CONSENT_GIVEN, Kind.CONSENT_WITHDRAWN, Kind.UNPROVEN):
        return CONSENT
    if event.kind in (Kind.NOTICE_SERVED, Kind.SOFT_OPT_IN):
        return NOTICE
    # A no to what rests on a yes refuses that yes; there is nothing to object to (Article 21).
    refuses = event.kind == Kind.OBJECTED and event.purpose in BY_CODE
    return CONSENT if refuses and BY_CODE[event.purpose].basis is Basis.CONSENT else RIGHT


def _state(receipt: Receipt) -> str:
    event = receipt.event
    if receipt.overruled_by is not None:
        return "dpv:ConsentInvalidated"
    if event.kind == Kind.OBJECTED and _family(event) == CONSENT:
        return "dpv:ConsentRefused"
    return STATES[Kind(event.kind)]


def _event_type(event: Event) -> str:
    if _family(event) == CONSENT:
        return "eu-gdpr:A6-1-a"
    if event.kind in LIMITS:
        return "eu-gdpr:A18"
    if _family(event) == NOTICE:
        return "eu-gdpr:A14" if event.collected == Collected.IMPORT else "eu-gdpr:A13"
    return "eu-gdpr:A21"


def _rights(event: Event) -> list[str]:
    """Return what the person can do next: take back, object, complain to the authority."""
    back = ["eu-gdpr:A7-3"] if event.kind == Kind.CONSENT_GIVEN else ["eu-gdpr:A21"]
    return [*back, "eu-gdpr:A77"]


def _right(article: str) -> Document:
    at = IMY_COMPLAINT
    if article != "eu-gdpr:A77":
        at = settings.SITE_URL + reverse("consent:choices")
    return {"@type": ["dpv:DataSubjectRight", article], "withdrawal_method": at}


def _purposes(event: Event) -> list[Purpose]:
    """Return the purposes that an entry speaks of."""
    if event.purpose in BY_CODE:
        return [BY_CODE[event.purpose]]
    if event.ground == Restriction.VOLUNTARY:  # RES-03
        return [purpose for purpose in CATALOGUE if purpose.objection is not Objection.NO_EFFECT]
    if event.kind == Kind.NOTICE_SERVED or event.kind in LIMITS:
        return list(CATALOGUE)
    if event.kind == Kind.SOFT_OPT_IN:
        return [BY_CODE["G"], BY_CODE["H"]]
    reached = [purpose for purpose in CATALOGUE if purpose.is_marketing]
    return [p for p in reached if not event.channel or event.channel in p.channels]


def _purpose(purpose: Purpose) -> Document:
    kind = PURPOSES.get(purpose.code)
    return {
        "@type": ["dpv:Purpose", kind] if kind else ["dpv:Purpose"],
        "code": purpose.code,
        "title": str(purpose.name),
    }


def _controller_id() -> str:
    return f"{settings.SITE_URL}/#controller"


def _parties() -> list[Document]:
    company = controller()
    return [
        {
            "@id": _controller_id(),
            "@type": "dpv:DataController",
            "party_id": company["organisation_number"],
            "party_name": company["name"],
            "party_address": company["address"],
            "party_email": company["email"],
            "party_phone": company["phone"],
        },
        {
            "@id": IMY,
            "@type": "dpv:DataProtectionAuthority",
            "party_name": _("Integritetsskyddsmyndigheten"),
            "party_url": IMY_COMPLAINT,
        },
    ]
