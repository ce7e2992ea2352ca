"""Owner, app and auditor: what each may do in the database, and what nobody may."""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import InternalError, ProgrammingError, connection, transaction
from django.utils import timezone

from consent.actions import publish_policy, restrict, say_no
from consent.models import Event, EventDetail, Seal, Standing
from consent.purposes import Use
from consent.sealing import seal
from consent.verification import verify
from consent.wording import texts
from customers.models import AccessLog, Customer
from dentalclean import database_roles
from dentalclean.actions import change_email
from disclosures.actions import relay
from privacy_requests.models import Extract
from retention.actions import execute, open_run
from retention.models import Receipt
from tests import cast, past
from tests.doors import signed_in
from tests.intake.files import load
from tests.intake.files import person as from_a_file

pytestmark = pytest.mark.django_db

H_EMAIL = Use("H", "email")
OWNER, APP, AUDITOR = "dentalclean_owner", "dentalclean_app", "dentalclean_auditor"

# The table of the tests: what differs from the rule, which is that the app may do these four.
WORK = {"SELECT", "INSERT", "UPDATE", "DELETE"}
APP_MAY = {
    "consent_event": {"SELECT", "INSERT", "MAINTAIN"},
    "consent_seal": {"SELECT", "INSERT", "MAINTAIN"},
    "consent_policyversion": {"SELECT", "INSERT"},
    "consent_notice": {"SELECT", "INSERT"},
    "consent_balancingrecord": {"SELECT", "INSERT"},
    "consent_nixsnapshot": {"SELECT", "INSERT"},
    "retention_holdreview": {"SELECT", "INSERT", "DELETE"},
    "retention_receipt": {"SELECT", "INSERT", "DELETE"},
    "retention_release": {"SELECT", "INSERT"},
    "disclosures_disclosure": {"SELECT", "INSERT", "DELETE"},
    "customers_debtinterruption": {"SELECT", "INSERT", "DELETE"},
    "django_migrations": {"SELECT"},
}
# Tables with people's words, which the app wipes in the files after each night (F19).
WIPED = {
    *("privacy_requests_case", "privacy_requests_caseevent", "privacy_requests_extract"),
    *("privacy_requests_erasure", "privacy_requests_statement"),
    "retention_hold",
    *("retention_holdreview", "retention_setaside", "disclosures_outbox"),
    *("disclosures_disclosure", "disclosures_recipientnotice"),
    *("consent_eventdetail", "consent_standing", "customers_user", "customers_customer"),
    *("customers_session", "customers_address", "customers_change", "customers_accesslog"),
    *("customers_order", "customers_invoice", "customers_supportcase", "django_admin_log"),
    "customers_debtinterruption",
    *("privacy_requests_emailchange", "privacy_requests_proofcode"),
    *("account_emailaddress", "account_emailconfirmation"),
}
# Tables of a night without words, which the app looks at before it is planned.
LOOKED_AT = {
    *("consent_processingrecord", "customers_subscription", "retention_receipt"),
    *("privacy_requests_caseevent", "customers_user_groups", "customers_user_user_permissions"),
}
AUDITOR_MAY = {
    "consent_event": {"SELECT"},
    "consent_seal": {"SELECT"},
    "consent_policyversion": {"SELECT"},
    "consent_notice": {"SELECT"},
    "retention_receipt": {"SELECT"},
    "retention_run": {"SELECT"},
}
NEVER_CHANGES = ("consent_event", "consent_seal", "consent_policyversion", "consent_notice")


@pytest.fixture(autouse=True)
def _own_folder(settings: Any, tmp_path: Path) -> None:
    settings.SEALS_DIR = tmp_path / "seals"
    settings.MEDIA_ROOT = tmp_path / "files"


def sql(statement: str, values: Any = None) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall() if cursor.description else []


@contextmanager
def working_as(role: str) -> Iterator[None]:
    sql(f"SET ROLE {role}")
    try:
        yield
    finally:
        sql("RESET ROLE")


def refused(statement: str, by: type[Exception], *, saying: str) -> None:
    with pytest.raises(by, match=saying), transaction.atomic():
        sql(statement)


# Grants


def test_after_migrating_each_role_may_do_what_the_table_says_and_no_more() -> None:
    held = sql(
        "SELECT r, c.relname, p FROM pg_class c, unnest(%s) AS r, unnest(%s) AS p "
        "WHERE c.relkind IN ('r', 'p', 'v', 'm') AND c.relnamespace = 'public'::regnamespace "
        "AND has_table_privilege(r, c.oid, p)",
        [
            [OWNER, APP, AUDITOR],
            [*WORK, "TRUNCATE", "REFERENCES", "TRIGGER", "MAINTAIN"],
        ],
    )
    tables = connection.introspection.table_names()
    assert len(tables) > 40
    for table in tables:
        for role, expected in (
            (
                APP,
                APP_MAY.get(table, WORK) | ({"MAINTAIN"} if table in WIPED | LOOKED_AT else set()),
            ),
            (AUDITOR, AUDITOR_MAY.get(table, set())),
            (OWNER, {*WORK, "TRUNCATE", "REFERENCES", "TRIGGER", "MAINTAIN"}),
        ):
            may_do = {p for r, t, p in held if (r, t) == (role, table)}
            assert may_do == expected, f"{role} on {table}"


def test_no_column_and_no_sequence_says_otherwise() -> None:
    assert sql("SELECT attrelid::regclass FROM pg_attribute WHERE attacl IS NOT NULL "
               "AND attrelid > 16384") == []  # fmt: skip
    for sequence, table in sql(
        "SELECT s.oid::regclass::text, t.relname FROM pg_class s "
        "JOIN pg_depend d ON d.objid = s.oid AND d.deptype IN ('a', 'i') "
        "JOIN pg_class t ON t.oid = d.refobjid WHERE s.relkind = 'S'"
    ):
        privileges = [
            [sql("SELECT has_sequence_privilege(%s, %s, %s)", [role, sequence, p])[0][0]]
            for role in (APP, AUDITOR)
            for p in ("USAGE", "SELECT", "UPDATE")
        ]
        draws = "INSERT" in APP_MAY.get(table, WORK)
        assert privileges == [[draws], [False], [False], [False], [False], [False]], sequence


def test_the_owner_owns_all_of_it_and_the_others_nothing() -> None:
    assert sql(
        "SELECT DISTINCT relowner::regrole::text FROM pg_class "
        "WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'S', 'i')"
    ) == [(OWNER,)]
    for role in (APP, AUDITOR):
        with working_as(role):
            refused("CREATE TABLE own (id int)", ProgrammingError, saying="permission denied")
    assert sql(
        "SELECT rolname FROM pg_roles WHERE rolname LIKE 'dentalclean!_%%' ESCAPE '!' "
        "AND (rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls OR rolreplication)"
    ) == []  # fmt: skip


@pytest.mark.breaks(15)
def test_a_new_table_is_nobodys_until_it_is_migrated() -> None:
    with working_as(OWNER):
        sql("CREATE TABLE planned (id int)")
    with working_as(APP):
        refused("SELECT * FROM planned", ProgrammingError, saying="permission denied")


def test_writing_the_rights_twice_changes_nothing_the_second_time() -> None:
    assert database_roles.apply() == []
    sql("GRANT UPDATE, TRUNCATE ON consent_event TO dentalclean_app")
    sql("GRANT UPDATE (evidence_hash) ON consent_event TO dentalclean_auditor")
    sql("GRANT SELECT ON customers_customer TO PUBLIC")
    sql("REVOKE INSERT ON consent_notice FROM dentalclean_app")
    sql("ALTER TABLE consent_event DISABLE TRIGGER USER")
    said = [error.msg for error in database_roles.check(None, databases=["default"])]
    assert len(said) >= 5
    assert any("REVOKE TRUNCATE, UPDATE ON TABLE" in sentence for sentence in said)
    database_roles.apply()
    assert database_roles.check(None, databases=["default"]) == []
    test_after_migrating_each_role_may_do_what_the_table_says_and_no_more()
    test_every_trigger_that_protects_fires_for_everybody()
    assert database_roles.apply() == []


def test_a_trigger_that_is_gone_is_told() -> None:
    (name,) = [
        n for t, n, against in past.protections() if t == "consent_seal" and "UPDATE" in against
    ]
    sql(f"DROP TRIGGER {name} ON consent_seal")
    (error,) = database_roles.check(None, databases=["default"])
    assert f"consent_seal has lost its trigger {name}" in error.msg


# Migrating


def test_only_the_owner_migrates() -> None:
    with working_as(APP), pytest.raises(CommandError) as stopped:
        call_command("migrate", verbosity=0)
    assert str(stopped.value) == (
        "Migrate as dentalclean_owner, not as dentalclean_app: put its address into DATABASE_URL "
        "for this one command."
    )
    with working_as(OWNER):
        call_command("migrate", verbosity=0)


def test_a_role_that_is_missing_is_made_or_asked_for(settings: Any) -> None:
    settings.DATABASE_ROLES = {"owner": OWNER, "app": APP, "auditor": "auditor of the year"}
    with working_as(OWNER), pytest.raises(CommandError) as stopped:
        call_command("migrate", verbosity=0)
    assert str(stopped.value) == (
        "Create the database roles auditor of the year first, as docs/running.md tells; "
        "dentalclean_owner may not."
    )
    sql("ALTER ROLE dentalclean_owner CREATEROLE")
    with working_as(OWNER):
        call_command("migrate", verbosity=0)
    assert sql("SELECT rolcanlogin FROM pg_roles WHERE rolname = 'auditor of the year'") == [
        (False,)
    ]
    assert sql(
        "SELECT has_table_privilege('auditor of the year', 'consent_event', 'SELECT'), "
        "has_table_privilege('auditor of the year', 'customers_customer', 'SELECT')"
    ) == [(True, False)]


# What nobody may


@pytest.mark.parametrize("table", NEVER_CHANGES)
@pytest.mark.parametrize(
    "statement",
    ["UPDATE {table} SET {key} = {key}", "DELETE FROM {table}", "TRUNCATE {table} CASCADE"],
)
def test_what_is_written_is_not_changed_by_app_auditor_or_owner(table: str, statement: str) -> None:
    cast.person()
    seal()
    sql("SET CONSTRAINTS ALL IMMEDIATE")
    key = "number" if table == "consent_seal" else "id"
    asked = statement.format(table=table, key=key)
    for role in (APP, AUDITOR):
        with working_as(role):
            refused(asked, ProgrammingError, saying=f"permission denied for table {table}")
    with working_as(OWNER):
        refused(asked, InternalError, saying="Cannot|never")
    sql("SET LOCAL session_replication_role = replica")  # as the superuser
    refused(asked, InternalError, saying="Cannot|never")


@pytest.mark.parametrize("role", [APP, OWNER])
@pytest.mark.parametrize("table", NEVER_CHANGES)
def test_no_word_of_the_session_sets_a_trigger_aside(role: str, table: str) -> None:
    cast.person()
    seal()
    sql("SET CONSTRAINTS ALL IMMEDIATE")
    names = [name for owner, name, _against in past.protections() if owner == table]
    with working_as(role):
        refused(
            "SET session_replication_role = replica", ProgrammingError, saying="permission denied"
        )
        sql("SELECT set_config('pgtrigger.ignore', %s, true)", ["{" + ",".join(names) + "}"])
        for statement in (f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):
            with pytest.raises((ProgrammingError, InternalError)), transaction.atomic():
                sql(statement)
        sql("SELECT set_config('pgtrigger.ignore', NULL, true)")


@pytest.mark.breaks(5)
def test_what_must_stay_until_its_day_stays_whatever_the_session_says() -> None:
    anna = cast.person()
    staff = cast.person("Stina").user
    assert staff is not None
    AccessLog.objects.create(customer=anna, actor=staff, reason=AccessLog.Reason.CALLS)
    Receipt.objects.create(customer=anna, category=1, rule="RUL-12", row_count=1)
    sql("SET CONSTRAINTS ALL IMMEDIATE")
    names = ",".join(name for _table, name, _against in past.protections())
    with working_as(APP):
        sql("SELECT set_config('pgtrigger.ignore', %s, true)", ["{" + names + "}"])
        for table in ("retention_receipt", "customers_accesslog"):
            refused(f"DELETE FROM {table}", InternalError, saying="is kept to and including")


def test_every_trigger_that_protects_fires_for_everybody() -> None:
    states = dict(
        sql("SELECT tgname, tgenabled FROM pg_trigger WHERE NOT tgisinternal")  # type: ignore[arg-type]
    )
    protecting = [name for _table, name, _against in past.protections()]
    assert len(protecting) >= 2 * len(NEVER_CHANGES) + 3
    assert {name: states[name] for name in protecting} == dict.fromkeys(protecting, "A")


@pytest.mark.breaks(14)
def test_a_superuser_who_takes_the_trigger_away_is_found_at_the_entry() -> None:
    anna, bjorn = cast.person(), cast.person("Björn")
    said = say_no(anna, H_EMAIL, evidence="Samtal 12")
    say_no(bjorn)
    seal()
    sql("SET CONSTRAINTS ALL IMMEDIATE")
    sql("ALTER TABLE consent_event DISABLE TRIGGER USER")
    sql("UPDATE consent_event SET kind = 'unproven' WHERE id = %s", [said.pk])
    sql("ALTER TABLE consent_event ENABLE TRIGGER USER")
    with pytest.raises(CommandError) as found:
        call_command("verify_ledger", stdout=io.StringIO())
    assert str(found.value) == f"Entry {said.pk} was changed after seal 1."


# What each does


def test_the_app_works_a_whole_day(as_app: None, tmp_path: Path, mailoutbox: list[Any]) -> None:
    # One comes in a file, one joins, one left long ago.
    load(
        tmp_path,
        customers=[from_a_file(noticed_on="2020-03-01")],
        consents=[
            {
                "number": "K1",
                "answer": "yes",
                "purpose": "H",
                "channel": "email",
                "given_on": "2020-03-02",
                "evidence": "Talong 7, ikryssad",
            }
        ],
    )
    anna = cast.person("Anneli")
    cast.subscription(anna, date(2024, 3, 3))
    gone = cast.person("Gun", since=date(2015, 1, 7))
    cast.subscription(gone, date(2015, 1, 7), date(2016, 10, 1))

    # What people say on their pages, and what is done about it.
    browser = signed_in(anna)
    page = "/mina-val/G/social/"
    asked = browser.post(page, {"answer": "yes"}, follow=True).content.decode()
    (version,) = set(re.findall(r'name="version" value="(\w+)"', asked))
    browser.post(page, {"answer": "yes", "version": version})
    browser.post(page, {"answer": "no"})
    kinds = Event.objects.filter(customer=anna, purpose="G").values_list("kind", flat=True)
    assert list(kinds) == [Event.Kind.CONSENT_GIVEN, Event.Kind.CONSENT_WITHDRAWN]
    browser.post("/ta-ut-allt/")
    assert Extract.objects.filter(case__customer=anna).exists()
    change_email(anna, "anneli@example.org")
    assert relay() >= 1
    assert mailoutbox
    restrict(anna)
    assert len(seal()) == 1
    say_no(anna)
    assert len(seal()) == 1

    # The night.
    execute(open_run(timezone.localdate())[0])
    assert not Customer.objects.filter(given_name="Gun").exists()
    assert Receipt.objects.filter(customer_id=gone.pseudonym).exists()
    assert not EventDetail.objects.filter(event__customer_id=gone.pseudonym).exists()
    assert not Standing.objects.filter(customer_id=gone.pk).exists()

    publish_policy("later", date(2027, 1, 1), texts())
    found = verify(lambda done: None)
    assert (found.seals, found.unsealed) == (2, 0)
    assert Event.objects.filter(customer_id=gone.pseudonym).exists()


def test_the_auditor_reads_proof_and_no_names() -> None:
    cast.person()
    seal()
    with working_as(AUDITOR):
        assert sql("SELECT count(*) FROM consent_event")[0][0] == 2
        assert Seal.objects.count() == 1
        for table in ("customers_customer", "customers_user", "consent_eventdetail"):
            refused(f"SELECT FROM {table}", ProgrammingError, saying="permission denied")
