"""Who of staff may do what, as a table; and what nobody may, whatever their rights."""

import uuid
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from django.test import Client

from consent.actions import say_yes
from consent.models import Event, Notice, PolicyVersion, Standing
from consent.purposes import Use
from customers.models import AccessLog, Customer, Suppression, User
from customers.models.channels import Channel
from disclosures.models import Disclosure, Outbox, RecipientNotice
from disclosures.recipient_notices import notify
from privacy_requests.models import Case, Extract
from retention.models import Forecast, Hold, Receipt, Run, SetAside
from tests import cast, recipients
from tests.admin.conftest import Desk

pytestmark = pytest.mark.django_db

# page: customer service, finance, data protection officer, operations
MAY_OPEN = {
    "customers/customer": "yes yes yes no",
    "customers/supportcase": "yes no yes no",
    "customers/invoice": "yes yes yes no",
    "customers/product": "yes yes yes yes",
    "customers/fiscalyear": "no yes yes no",
    "customers/accesslog": "no no yes no",
    "customers/suppression": "no no yes yes",
    "consent/balancingrecord": "no no yes no",
    "consent/nixsnapshot": "no no yes yes",
    "consent/policyversion": "yes no yes yes",
    "consent/notice": "yes no yes yes",
    "consent/event": "yes no yes no",
    "consent/standing": "yes no yes no",
    "disclosures/outbox": "yes no yes yes",
    "disclosures/recipient": "yes no yes no",
    "disclosures/agreement": "no no yes no",
    "disclosures/adequacy": "no no yes no",
    "disclosures/disclosure": "yes no yes no",
    "disclosures/recipientnotice": "yes no yes no",
    "marketing/campaign": "yes no yes no",
    "privacy_requests/case": "yes no yes no",
    "privacy_requests/extract": "yes no yes no",
    "retention/run": "no no yes yes",
    "retention/forecast": "no no yes yes",
    "retention/setaside": "no no yes no",
    "retention/receipt": "no no yes yes",
    "retention/hold": "yes no yes no",
}
MAY_ADD = {
    "consent/balancingrecord": "no no yes no",
    "disclosures/recipient": "no no yes no",
    "disclosures/agreement": "no no yes no",
    "disclosures/adequacy": "no no yes no",
    "marketing/campaign": "yes no no no",
    "customers/product": "no yes no no",
    "customers/fiscalyear": "no yes no no",
    "retention/hold": "no no yes no",
}
STAFF = ("cecilia", "erik", "disa", "olle")


@pytest.fixture
def staff(request: pytest.FixtureRequest) -> dict[str, Client]:
    return {name: request.getfixturevalue(name) for name in STAFF}


@pytest.mark.parametrize("page", MAY_OPEN)
def test_each_list_opens_to_the_roles_of_the_table(page: str, staff: dict[str, Client]) -> None:
    answers = [staff[name].get(f"/personal/{page}/").status_code for name in STAFF]
    assert answers == [200 if word == "yes" else 403 for word in MAY_OPEN[page].split()]


@pytest.mark.parametrize("page", MAY_OPEN)
def test_each_add_page_opens_to_the_roles_of_the_table(page: str, staff: dict[str, Client]) -> None:
    answers = [staff[name].get(f"/personal/{page}/add/").status_code for name in STAFF]
    table = MAY_ADD.get(page, "no no no no").split()
    assert answers == [200 if word == "yes" else 403 for word in table]


def test_no_page_of_third_parties_is_shown(superuser: Client) -> None:
    for page in ("auth/group", "account/emailaddress", "customers/user", "customers/session"):
        assert superuser.get(f"/personal/{page}/").status_code == 404


def test_every_page_of_the_admin_is_in_the_table(superuser: Client) -> None:
    sections = superuser.get("/personal/").context["app_list"]
    shown = {model["admin_url"].strip("/") for s in sections for model in s["models"]}
    assert shown == {f"personal/{page}" for page in MAY_OPEN}


def test_syncing_twice_changes_nothing_and_takes_back_what_was_added(roles: None) -> None:
    group = Group.objects.get(name="operations")
    before = set(group.permissions.values_list("codename", flat=True))
    group.permissions.add(*Group.objects.get(name="data_protection").permissions.all())
    call_command("sync_roles", verbosity=0)
    call_command("sync_roles", verbosity=0)
    assert set(group.permissions.values_list("codename", flat=True)) == before
    assert Group.objects.count() == 4


def test_the_operator_makes_somebody_staff_with_one_role(db: None) -> None:
    call_command("staff", "Ny@Dentalclean.example", "finance", verbosity=0)
    call_command("staff", "ny@dentalclean.example", "operations", verbosity=0)
    user = User.objects.get(email="ny@dentalclean.example")
    assert user.is_staff
    assert not user.is_superuser
    assert list(user.groups.values_list("name", flat=True)) == ["operations"]


def test_the_operator_is_told_what_to_write(db: None) -> None:
    with pytest.raises(CommandError, match="Give an e-mail address"):
        call_command("staff", "nobody", "finance", verbosity=0)


def test_the_account_of_a_customer_is_not_made_staff(db: None) -> None:
    cast.person("Anna")
    with pytest.raises(CommandError, match="an address of their own"):
        call_command("staff", "anna@example.se", "finance", verbosity=0)
    assert not User.objects.get(email="anna@example.se").is_staff


def _rows() -> dict[str, Any]:
    anna = cast.person("Anna")
    cast.subscription(anna, anna.last_contact_on)
    run = Run.objects.create(business_date="2026-01-01", status=Run.Status.DONE)
    event = Event.objects.filter(customer=anna).latest("pk")
    printer = recipients.signed()
    recipients.printed(anna, printer)
    disclosure = Disclosure.objects.get()
    notify(anna, "restricted")
    case = Case.objects.create(
        customer=anna,
        right="access",
        collected="portal",
        received_on="2026-01-01",
        nominal_on="2026-02-01",
        latest_on="2026-02-01",
        target_on="2026-01-15",
    )
    return {
        "customers/customer": anna,
        "customers/invoice": cast.invoice(anna, anna.last_contact_on),
        "customers/supportcase": anna.support_cases.create(subject="Hej", collected="phone"),
        "customers/accesslog": AccessLog.objects.create(
            customer=anna, actor=User.objects.create_user("x@dentalclean.example"), reason="case"
        ),
        "consent/policyversion": PolicyVersion.objects.latest("pk"),
        "consent/notice": Notice.objects.latest("pk"),
        "consent/event": event,
        "consent/standing": Standing.objects.filter(customer=anna).latest("pk"),
        "retention/run": run,
        "retention/receipt": Receipt.objects.create(
            customer_id=uuid.uuid4(), run=run, category=1, rule="RET-02", row_count=1
        ),
        "customers/suppression": Suppression.objects.create(
            kind="email", digest=b"x" * 32, added_on="2026-01-01"
        ),
        "retention/hold": Hold.objects.create(customer=anna, ground="manual"),
        "retention/forecast": Forecast.objects.create(
            made_on="2026-01-01", span="night", day="2026-01-02", people=3
        ),
        "retention/setaside": SetAside.objects.create(
            customer=anna, attempts=1, since="2026-01-01", tried_on="2026-01-01", cause="X"
        ),
        "privacy_requests/case": case,
        "privacy_requests/extract": Extract.objects.create(case=case),
        "disclosures/outbox": Outbox.objects.create(
            customer=anna, template="extract_ready", recipient="anna@example.se", body="Hej Anna"
        ),
        "disclosures/disclosure": disclosure,
        "disclosures/recipientnotice": RecipientNotice.objects.get(),
    }


@pytest.mark.parametrize("who", ["superuser", "disa"])
@pytest.mark.breaks(8)
def test_what_the_program_writes_is_read_only_for_everybody(
    who: str, request: pytest.FixtureRequest, desk: type[Desk]
) -> None:
    client = request.getfixturevalue(who)
    rows = _rows()
    desk.says_why(client, rows["customers/customer"])
    for page, row in rows.items():
        address = f"/personal/{page}/{row.pk}"
        before = type(row).objects.filter(pk=row.pk).values().get()
        assert client.get(f"{address}/change/").status_code == 200, page
        assert client.get(f"{address}/history/").status_code == 200, page
        assert client.post(f"{address}/change/", {"kind": "no"}).status_code == 403, page
        assert client.get(f"{address}/delete/").status_code == 403, page
        assert client.post(f"{address}/delete/", {"post": "yes"}).status_code == 403, page
        client.post(
            f"/personal/{page}/",
            {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"},
        )
        assert type(row).objects.filter(pk=row.pk).values().get() == before, page


@pytest.mark.breaks(8)
def test_every_page_about_a_person_asks_why_first(superuser: Client, desk: type[Desk]) -> None:
    rows = _rows()
    anna = rows["customers/customer"]
    about_anna = [
        page
        for page in rows
        if page
        not in (
            "customers/accesslog",
            "consent/policyversion",
            "consent/notice",
            "retention/run",
            "retention/forecast",
            "retention/receipt",
            "customers/suppression",
        )
    ]
    for page in about_anna:
        answer = superuser.get(f"/personal/{page}/{rows[page].pk}/change/")
        assert answer.status_code == 302, page
        assert f"/customer/{anna.pk}/skal/" in answer["Location"], page
    before = len(desk.readings(anna))
    desk.says_why(superuser, anna)
    for page in about_anna:
        assert superuser.get(f"/personal/{page}/{rows[page].pk}/change/").status_code == 200
    assert len(desk.readings(anna)) - before == len(about_anna)


@pytest.mark.breaks(8)
def test_no_list_shows_a_name_or_an_address(superuser: Client) -> None:
    _rows()
    for page in MAY_OPEN:
        text = superuser.get(f"/personal/{page}/").content.decode()
        for told in ("Anna", "anna@example.se", "701740635", "Björkgatan"):
            assert told not in text, (page, told)


def test_words_of_messages_are_for_one_role_and_codes_for_nobody(
    cecilia: Client, disa: Client, olle: Client, desk: type[Desk]
) -> None:
    anna = cast.person("Anna")
    mail = Outbox.objects.create(
        customer=anna, template="extract_ready", recipient="anna@example.se", body="Hej Anna"
    )
    code = Outbox.objects.create(
        customer=anna, template="login_code", recipient="anna@example.se", body="Kod 482913"
    )

    def seen(client: Client, message: Outbox) -> str:
        desk.says_why(client, anna)
        answer = client.get(f"/personal/disclosures/outbox/{message.pk}/change/")
        assert answer.status_code == 200
        return answer.content.decode()

    assert "Hej Anna" in seen(disa, mail)
    for client in (cecilia, olle):
        assert "Hej Anna" not in seen(client, mail)
        assert "anna@example.se" not in seen(client, mail)
    for client in (cecilia, disa, olle):
        assert "482913" not in seen(client, code)


def test_the_words_behind_a_choice_are_for_one_role(
    cecilia: Client, disa: Client, desk: type[Desk]
) -> None:
    anna = cast.person("Anna")
    words = "Sa det i telefon till Maria"
    say_yes(anna, Use("H", "email"), collected="phone", evidence=words)
    event = Event.objects.filter(customer=anna).latest("pk")
    for client, told in ((cecilia, False), (disa, True)):
        desk.says_why(client, anna)
        text = client.get(f"/personal/consent/event/{event.pk}/change/").content.decode()
        assert ("Maria" in text) is told


@pytest.mark.breaks(5)
def test_entries_of_people_who_are_gone_stay_in_the_lists(disa: Client) -> None:
    gone = uuid.uuid4()
    event = Event.objects.create(
        customer_id=gone, kind="no", collected="portal", authority=4, channel=Channel.EMAIL
    )
    receipt = Receipt.objects.create(customer_id=gone, category=1, rule="RET-02", row_count=2)
    assert f"/event/{event.pk}/" in disa.get("/personal/consent/event/").content.decode()
    assert str(gone)[:8] in disa.get("/personal/retention/receipt/").content.decode()
    text = disa.get(f"/personal/consent/event/{event.pk}/change/").content.decode()
    assert "Raderad" in text
    assert disa.get(f"/personal/retention/receipt/{receipt.pk}/change/").status_code == 200


@pytest.mark.parametrize("page", ["consent/event", "disclosures/outbox", "privacy_requests/case"])
@pytest.mark.parametrize("query", ["customer__email__startswith=a", "detail__evidence=x"])
def test_no_list_answers_through_its_address(superuser: Client, page: str, query: str) -> None:
    assert superuser.get(f"/personal/{page}/?{query}").status_code == 400


@pytest.mark.parametrize("query", ["protection__exact=%00", "protection__exact=hemlig%00"])
def test_a_nul_in_the_address_of_a_list_is_refused(superuser: Client, query: str) -> None:
    assert superuser.get(f"/personal/customers/customer/?{query}").status_code == 400


@pytest.mark.parametrize("page", ["password_change", "password_change/done"])
def test_nobody_has_a_password_to_change(superuser: Client, page: str) -> None:
    assert superuser.get(f"/personal/{page}/").status_code == 404


@pytest.mark.breaks(8)
def test_the_filters_beside_a_list_work(superuser: Client) -> None:
    _rows()
    for address in (
        "disclosures/outbox/?status__exact=queued",
        "consent/event/?channel__exact=email",
        "customers/customer/?protection__exact=secrecy",
        "consent/standing/?declined__exact=1",
    ):
        assert superuser.get(f"/personal/{address}").status_code == 200


def test_a_person_cannot_be_deleted_by_any_address_of_the_admin(superuser: Client) -> None:
    anna = cast.person("Anna")
    addresses = [
        f"/personal/customers/customer/{anna.pk}/delete/",
        f"/personal/customers/user/{anna.user_id}/delete/",
        f"/personal/account/emailaddress/{anna.pk}/delete/",
    ]
    for address in addresses:
        assert superuser.post(address, {"post": "yes"}).status_code in (403, 404)
    assert Customer.objects.filter(pk=anna.pk).exists()
