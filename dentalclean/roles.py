"""Who of staff may do what: one table, written to groups by `manage.py sync_roles`.

Nobody has a right to delete people, ledger entries or receipts; no page offers it whatever the
rights of who asks.
"""

from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.db.models import TextChoices, Value
from django.db.models.functions import Concat
from django.utils.translation import gettext_lazy as _

from customers.models import User


class RoleError(ValueError):
    """The role cannot be given; the message says what to do."""


class Role(TextChoices):
    """A group of staff; the value is the name of the group."""

    CUSTOMER_SERVICE = "customer_service", _("Kundservice")
    FINANCE = "finance", _("Ekonomi")
    DATA_PROTECTION = "data_protection", _("Dataskyddsombud")
    OPERATIONS = "operations", _("Drift")


PERSON = (
    "customers.view_customer",
    "customers.view_address",
    "customers.view_subscription",
    "customers.view_order",
    "customers.view_product",
)
CHOICES = (
    "consent.view_event",
    "consent.view_notice",
    "consent.view_policyversion",
    "consent.view_processingrecord",
    "consent.view_standing",
)
WORK = (
    # To write down what a person has said; the data protection officer for the protected (SKY-01).
    "consent.add_event",
    "customers.change_customer",
    "customers.view_invoice",
    "customers.view_supportcase",
    "disclosures.view_disclosure",
    "disclosures.view_outbox",
    "disclosures.view_recipient",
    "disclosures.view_recipientnotice",
    # Registering and answering; a no and a fee are approved by the data protection officer.
    "privacy_requests.answer_case",
    "privacy_requests.view_case",
    "privacy_requests.view_caseevent",
    "privacy_requests.view_extract",
    "privacy_requests.view_statement",
    "retention.view_hold",
    "retention.view_holdreview",
)
# Two of customer service: one writes, another approves. The data protection officer sees and may
# stop, but decides nothing about what they are to watch over (Article 38(6)).
OUTREACH = (
    "marketing.view_campaign",
    "marketing.add_campaign",
    "marketing.change_campaign",
    "marketing.approve_campaign",
    "marketing.stop_campaign",
)
NIGHTS = (
    "customers.view_suppression",
    # Off with a reason and an end, and on again; releasing a stopped night is another matter.
    "retention.add_pause",
    "retention.view_forecast",
    "retention.view_receipt",
    "retention.view_run",
)

MAY: dict[Role, tuple[str, ...]] = {
    Role.CUSTOMER_SERVICE: (*PERSON, *CHOICES, *WORK, *OUTREACH),
    Role.FINANCE: (
        *PERSON,
        # Invoices of people who are gone or held, and who owes us money (RUL-36, CLM-01).
        "customers.view_archive",
        "customers.view_invoice",
        "privacy_requests.view_statement",
        "customers.view_debtinterruption",
        "customers.add_debtinterruption",
        # To credit one and write it anew; nobody writes over one (REC-02).
        "customers.add_invoice",
        "customers.view_fiscalyear",
        "customers.add_fiscalyear",
        "customers.add_product",
        "customers.change_product",
    ),
    Role.DATA_PROTECTION: (
        *PERSON,
        *CHOICES,
        *WORK,
        *NIGHTS,
        "consent.add_balancingrecord",
        "consent.approve_balancingrecord",
        "consent.view_balancingrecord",
        "consent.view_eventdetail",
        "consent.view_nixsnapshot",
        "customers.read_messages",
        "customers.view_accesslog",
        "customers.view_fiscalyear",
        "customers.view_locked",
        "customers.view_protected",
        # To whom the data goes, and what they must be told (PRO-01, NOT-01).
        "disclosures.add_adequacy",
        "disclosures.change_adequacy",
        "disclosures.view_adequacy",
        "disclosures.add_agreement",
        "disclosures.change_agreement",
        "disclosures.view_agreement",
        "disclosures.add_recipient",
        "disclosures.change_recipient",
        "disclosures.add_subprocessor",
        "disclosures.change_subprocessor",
        "disclosures.view_subprocessor",
        "disclosures.change_recipientnotice",
        "marketing.stop_campaign",
        "marketing.view_campaign",
        "retention.add_hold",
        "retention.change_hold",
        "privacy_requests.approve_case",
        "privacy_requests.lift_restriction",
        # What a stopped night would take, and who the database would not give up (RUL-38, F14).
        "retention.release_run",
        "retention.view_setaside",
    ),
    Role.OPERATIONS: (
        *NIGHTS,
        "consent.view_nixsnapshot",
        "consent.view_notice",
        "consent.view_policyversion",
        "customers.view_product",
        "disclosures.view_outbox",
    ),
}


@transaction.atomic
def sync_roles() -> None:
    """Make the groups hold what the table says and nothing else; raises LookupError on a typo."""
    named = Permission.objects.annotate(
        label=Concat("content_type__app_label", Value("."), "codename")
    )
    for role, labels in MAY.items():
        found = {permission.label: permission for permission in named.filter(label__in=labels)}
        missing = sorted(set(labels) - set(found))
        if missing:
            raise LookupError(f"No such permission: {', '.join(missing)}; run migrate first.")
        group, _created = Group.objects.get_or_create(name=role.value)
        group.permissions.set(found.values())


@transaction.atomic
def give_role(email: str, role: Role) -> User:
    """Make somebody staff with one role, in the place of any other; creates the account.

    Raises RoleError for the account of a customer: it goes with the person, and what staff have
    done must not.
    """
    address = email.strip().casefold()
    if User.objects.filter(email=address, customer__isnull=False).exists():
        raise RoleError("This is a customer's account; give staff an address of their own.")
    user = User.objects.filter(email=address).first() or User.objects.create_user(address)
    user.is_staff = True
    user.save(update_fields=["is_staff"])
    user.groups.set([Group.objects.get(name=role.value)])
    return user
