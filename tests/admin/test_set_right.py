"""Staff set right what a person cannot: before and after kept, invoices credited, words added."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import InternalError, transaction
from django.test import Client

from consent.actions import restrict
from consent.facts import issue_invoice
from consent.models import Event
from customers import rules
from customers.actions import set_national_id
from customers.dates import today
from customers.debts import open_debts
from customers.models import AccessLog, Change, Customer, FiscalYear, Invoice, Order
from disclosures.models import Outbox
from privacy_requests.identity import waits_until
from privacy_requests.messages import register_message
from privacy_requests.models import Case, Statement
from privacy_requests.supplements import add_statement
from tests import cast
from tests.admin.conftest import Desk

pytestmark = pytest.mark.django_db
THEIR_WORD = {"collected": "phone"}


@pytest.fixture
def anna(db: None) -> Customer:
    anna = cast.person("Anna", birth_date=date(1990, 6, 2))
    cast.order(anna, date(2026, 3, 1), date(2026, 3, 4))
    set_national_id(anna, "199006022397")
    Customer.objects.filter(pk=anna.pk).update(national_id_used_on=today() - timedelta(days=3))
    anna.refresh_from_db()
    return anna


@pytest.fixture
def invoice(anna: Customer) -> Invoice:
    this_year = today().replace(month=1, day=1)
    FiscalYear.objects.get_or_create(
        starts_on=this_year, defaults={"ends_on": this_year.replace(month=12, day=31)}
    )
    lines: Any = [{"text": "Borsthuvud", "quantity": 2, "ore": 19800}]
    return issue_invoice(anna, today(), lines, vat_ore=3960)


def page(anna: Customer, path: str, query: str = "") -> str:
    return f"/personal/customers/customer/{anna.pk}/{path}/{query}"


def post(client: Client, anna: Customer, path: str, query: str = "", **sent: Any) -> Any:
    Desk.says_why(client, anna)
    return client.post(page(anna, path, query), {**THEIR_WORD, **sent})


def kept(anna: Customer) -> list[tuple[str, str, str, str, str]]:
    rows = Change.objects.filter(customer=anna).order_by("pk")
    return list(rows.values_list("field", "old", "new", "source", "collected"))


def test_a_birth_date_is_set_right_with_what_was_and_by_whose_word(
    cecilia: Client, anna: Customer
) -> None:
    Customer.objects.filter(pk=anna.pk).update(national_id_sealed=None, national_id_hash=None)
    looked = AccessLog.objects.count()
    sent = {"born": "1991-06-02", "before": "1990-06-02"}
    assert post(cecilia, anna, "fodelsedag", **sent).status_code == 302
    anna.refresh_from_db()
    assert anna.birth_date == date(1991, 6, 2)
    assert kept(anna) == [("birth_date", "1990-06-02", "1991-06-02", "staff", "phone")]
    assert AccessLog.objects.count() > looked
    late = post(cecilia, anna, "fodelsedag", born="1992-06-02", before="1990-06-02")
    assert (late.status_code, "ändrades av någon annan" in late.content.decode()) == (409, True)
    for day in ("1890-01-01", (today() + timedelta(days=1)).isoformat()):
        refused = post(cecilia, anna, "fodelsedag", born=day, before="1991-06-02")
        assert refused.status_code == 409
    assert post(cecilia, anna, "fodelsedag", born="igår").status_code == 422
    assert len(kept(anna)) == 1


def test_a_birth_date_does_not_contradict_the_number(cecilia: Client, anna: Customer) -> None:
    refused = post(cecilia, anna, "fodelsedag", born="1991-06-02", before="1990-06-02")
    assert refused.status_code == 409
    assert "Personnumret säger en annan dag" in refused.content.decode()


def test_a_number_is_set_right_sealed_hashed_and_kept_masked(
    cecilia: Client, anna: Customer
) -> None:
    used, hashed = anna.national_id_used_on, bytes(anna.national_id_hash or b"")
    assert post(cecilia, anna, "personnummer", number="199107172381").status_code == 422
    answer = post(cecilia, anna, "personnummer", number="19910717-2380")
    assert answer.status_code == 302
    anna.refresh_from_db()
    assert rules.national_id(anna) == "199107172380"
    assert bytes(anna.national_id_hash or b"") != hashed
    # Correcting is no use (RUL-16), and the date that the old number told follows.
    assert (anna.national_id_used_on, anna.birth_date) == (used, date(1991, 7, 17))
    # Whoever talked somebody into it waits, as after a new e-mail address (A18).
    assert waits_until(anna) is not None
    assert kept(anna) == [
        ("national_id_sealed", "19900602-****", "19910717-****", "staff", "phone"),
        ("birth_date", "1990-06-02", "1991-07-17", "staff", "phone"),
    ]


def test_a_number_we_do_not_have_is_not_asked_for(cecilia: Client) -> None:
    bo = cast.person("Bo")
    assert post(cecilia, bo, "personnummer", number="199107172380").status_code == 403


def test_an_order_is_set_right_with_what_was(cecilia: Client, anna: Customer) -> None:
    order = Order.objects.get(customer=anna)
    Desk.says_why(cecilia, anna)
    assert order.number in cecilia.get(page(anna, "bestallning")).content.decode()
    about = f"?order={order.pk}"
    facts = {"product": order.product_id, "quantity": 3, "ordered_on": "2026-03-01"}
    impossible = {**facts, "delivered_on": "2026-02-27"}
    assert post(cecilia, anna, "bestallning", about, **impossible).status_code == 409
    right = {**facts, "delivered_on": "2026-03-09"}
    assert post(cecilia, anna, "bestallning", about, **right).status_code == 302
    order.refresh_from_db()
    assert (order.quantity, order.delivered_on) == (3, date(2026, 3, 9))
    assert {(field, old, new) for field, old, new, _s, _c in kept(anna)} == {
        ("quantity", f"{order.number}: 1", f"{order.number}: 3"),
        ("delivered_on", f"{order.number}: 2026-03-04", f"{order.number}: 2026-03-09"),
    }


def test_somebody_elses_order_cannot_be_reached(cecilia: Client, anna: Customer) -> None:
    hers = Order.objects.get(customer=anna)
    bo = cast.person("Bo")
    sent = {"product": hers.product_id, "quantity": 9, "ordered_on": "2026-03-01"}
    post(cecilia, bo, "bestallning", f"?order={hers.pk}", **sent)
    hers.refresh_from_db()
    assert hers.quantity == 1


def test_an_invoice_is_credited_and_written_anew_and_never_over(
    erik: Client, anna: Customer, invoice: Invoice
) -> None:
    about = f"?invoice={invoice.pk}"
    before = Invoice.objects.filter(pk=invoice.pk).values().get()
    Desk.says_why(erik, anna)
    form = erik.get(page(anna, "kreditera", about)).content.decode()
    assert "Borsthuvud: antal på den nya fakturan" in form
    anew = {"anew": "on", "quantity_0": "1", "amount_0": "99.00", "vat": "19.80"}
    assert post(erik, anna, "kreditera", about, **anew).status_code == 302
    note = Invoice.objects.get(kind="credit")
    right = Invoice.objects.get(number=note.number + 1)
    assert (note.refers_to_id, note.total_ore, note.vat_ore) == (invoice.pk, -19800, -3960)
    assert (right.kind, right.total_ore, right.vat_ore) == ("invoice", 9900, 1980)
    assert right.lines == [{"text": "Borsthuvud", "quantity": 1, "ore": 9900}]
    assert list(open_debts(anna)) == [right]
    for column in ("number", "lines", "total_ore", "buyer_name", "buyer_address", "vat_ore"):
        assert before[column] == Invoice.objects.filter(pk=invoice.pk).values().get()[column]
    assert [row[0] for row in kept(anna)] == ["invoice"]
    # Two clicks are one credit note.
    assert post(erik, anna, "kreditera", about, **anew).status_code in (200, 409)
    assert Invoice.objects.count() == 3
    with pytest.raises(InternalError, match="BFL-04"), transaction.atomic():
        Invoice.objects.filter(pk=note.pk).update(refers_to=None)


def test_finance_credits_and_customer_service_does_not(
    cecilia: Client, erik: Client, disa: Client, olle: Client, anna: Customer, invoice: Invoice
) -> None:
    about = f"?invoice={invoice.pk}"
    may = {"fodelsedag": "cd", "personnummer": "cd", "bestallning": "cd", "tillagg": "cd"}
    may["kreditera"] = "e"
    for path, who in may.items():
        for letter, client in (("c", cecilia), ("d", disa), ("e", erik), ("o", olle)):
            if letter != "o":
                Desk.says_why(client, anna)
            status = client.get(page(anna, path, about)).status_code
            assert status == (200 if letter in who else 403), (path, letter)
    assert post(cecilia, anna, "kreditera", about).status_code == 403
    assert Invoice.objects.count() == 1


def test_nobody_corrects_their_own(cecilia: Client, anna: Customer) -> None:
    Customer.objects.filter(pk=anna.pk).update(email="cecilia@dentalclean.example")
    for path in ("fodelsedag", "personnummer", "bestallning", "tillagg"):
        assert post(cecilia, anna, path).status_code == 403


def test_a_statement_stands_beside_the_data_for_whoever_reads_it(
    cecilia: Client, erik: Client, anna: Customer, invoice: Invoice
) -> None:
    sent = {"about": "invoice", "wording": "Jag fick <b>bara</b> ett."}
    for _click in range(2):
        assert post(cecilia, anna, "tillagg", **sent).status_code == 302
    own = Statement.objects.get(customer=anna)
    assert (own.collected, own.registered_by_id is not None) == ("phone", True)
    for client in (cecilia, erik):
        text = Desk.opens(client, anna)
        assert "Jag fick &lt;b&gt;bara&lt;/b&gt; ett." in text
    credit = erik.get(page(anna, "kreditera", f"?invoice={invoice.pk}")).content.decode()
    assert "Jag fick &lt;b&gt;bara" in credit


def test_a_statement_of_a_protected_person_is_hidden_with_them(
    cecilia: Client, anna: Customer
) -> None:
    add_statement(anna, "note", "Hemligt tillägg")
    Customer.objects.filter(pk=anna.pk).update(protection="secrecy")
    assert "Hemligt tillägg" not in Desk.opens(cecilia, anna)
    assert post(cecilia, anna, "tillagg", about="note", wording="x").status_code == 403


def test_a_case_leads_to_where_it_is_set_right(
    cecilia: Client, disa: Client, anna: Customer
) -> None:
    """A number that only the contest keeps is set right by who sees what is held (RUL-16)."""
    case = register_message(anna, ["rectification"], "Fel dag.")[0]
    paths = ["fodelsedag", "bestallning", "tillagg"]
    for client, offered in ((cecilia, paths), (disa, [*paths, "personnummer"])):
        Desk.says_why(client, anna)
        address = f"/personal/privacy_requests/case/{case.pk}/change/"
        text = client.get(address).content.decode()
        assert [path for path in offered if page(anna, path) not in text] == []
        assert page(anna, "kreditera") not in text


# Restrictions of the law


def test_the_data_protection_officer_tells_first_and_lifts_no_sooner(
    disa: Client, cecilia: Client, anna: Customer
) -> None:
    from_law = ("b", "c", "d")
    for ground in from_law:
        restrict(anna, ground)
    Desk.says_why(cecilia, anna)
    assert cecilia.get(page(anna, "begransning")).status_code == 403
    for ground in from_law:
        early = post(disa, anna, "begransning", ground=ground, do="lift")
        assert early.status_code == 409
        assert "har inte fått veta" in early.content.decode()
        silent = post(disa, anna, "begransning", ground=ground, do="tell")
        assert silent.status_code == 422
        told = post(disa, anna, "begransning", ground=ground, do="tell", why="Kravet är betalt.")
        assert told.status_code == 302
        notice = Outbox.objects.get(template=f"restriction_ends_{ground}")
        assert "Kravet är betalt." in notice.body
        again = post(disa, anna, "begransning", ground=ground, do="tell", why="Igen.")
        assert again.status_code == 409
        assert post(disa, anna, "begransning", ground=ground, do="lift").status_code == 409
    anna.refresh_from_db()
    assert anna.restriction == "d"
    assert not Event.objects.filter(customer=anna, kind="unrestricted").exists()
    assert post(disa, anna, "begransning", ground="v", do="lift").status_code == 422


def test_what_is_still_contested_is_not_told_to_end(disa: Client, anna: Customer) -> None:
    register_message(anna, ["rectification"], "Fel dag.")
    refused = post(disa, anna, "begransning", ground="a", do="tell", why="Klart.")
    assert refused.status_code == 409
    assert "inte besvarad än" in refused.content.decode()
    assert not Outbox.objects.filter(template="restriction_ends_a").exists()


# Somebody who is in no register


@pytest.mark.parametrize(("language", "said"), [("sv", "Vi har inga"), ("en", "We hold no data")])
def test_a_stranger_is_answered_and_nothing_of_them_is_kept(
    language: str, said: str, cecilia: Client
) -> None:
    sent = {"email": "Okand@example.se", "collected": "email", "language": language}
    sent["received_on"] = today().isoformat()
    address = "/personal/privacy_requests/case/okand/"
    assert cecilia.get(address).status_code == 200
    assert cecilia.post(address, sent).status_code == 302
    case = Case.objects.get()
    assert (case.outcome, case.customer.name, case.customer.email) == ("no_data", "", "")
    assert said in Outbox.objects.get(template="case_answered").body
    assert cecilia.post(address, {**sent, "email": "ingen adress"}).status_code == 422


def test_somebody_we_know_is_not_told_that_we_know_nothing(cecilia: Client, anna: Customer) -> None:
    sent = {"email": anna.email.upper(), "collected": "email", "language": "sv"}
    sent["received_on"] = today().isoformat()
    answer = cecilia.post("/personal/privacy_requests/case/okand/", sent)
    assert answer.status_code == 422
    assert "Adressen finns hos oss" in answer.content.decode()
    assert not Case.objects.exists()
    assert not Outbox.objects.filter(template="case_answered").exists()


def test_others_of_staff_answer_no_strangers(erik: Client, olle: Client) -> None:
    for client in (erik, olle):
        assert client.get("/personal/privacy_requests/case/okand/").status_code == 403


# A credit decision is reviewed by a human who explains it


def test_a_review_of_credit_says_what_weighed_in_whatever_comes_of_it(
    cecilia: Client, disa: Client, anna: Customer
) -> None:
    def answers(client: Client, case: Case, act: str, **sent: Any) -> int:
        Desk.says_why(client, anna)
        address = f"/personal/privacy_requests/case/{case.pk}/gor/{act}/"
        status: int = client.post(address, sent).status_code
        return status

    case = register_message(anna, ["credit_review"], "Pröva igen.")[0]
    assert answers(cecilia, case, "svara", outcome="granted", more="Ja.") == 422
    factors = "Två obetalda fakturor vägde mest. Utan dem hade det blivit ja."
    assert answers(cecilia, case, "svara", outcome="granted", factors=factors) == 302
    case.refresh_from_db()
    assert factors in case.answer
    assert case.decided_by_id is not None
    again = register_message(anna, ["credit_review"], "En gång till.")[0]
    no = {"outcome": "refused", "factors": factors, "reasons": "Skulden finns.", "rule": "art. 22"}
    assert answers(cecilia, again, "svara", **no) == 302
    assert answers(disa, again, "godkann") == 302
    again.refresh_from_db()
    for told in (factors, "Skulden finns.", "IMY", "domstol"):
        assert told in again.answer
