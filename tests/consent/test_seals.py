"""The ledger under seal: whoever changes it afterwards is found, at the entry."""

import io
import threading
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import InternalError, OperationalError, connection, transaction

from consent import seals
from consent.actions import restrict, say_no, say_yes
from consent.models import Event, EventDetail, Notice, Seal
from consent.purposes import Use
from consent.sealing import seal
from consent.verification import BrokenLedgerError, verify
from customers.dates import today
from customers.models import Customer
from customers.models.channels import Collected
from dentalclean.intake import staging
from dentalclean.intake.formats import CONSENTS, CUSTOMERS
from dentalclean.intake.ledger import EVENTS
from retention.actions import execute, open_run
from tests import cast, past
from tests.intake.files import load, person

pytestmark = [pytest.mark.django_db, pytest.mark.breaks(2, 4, 6, 14)]

H_EMAIL = Use("H", "email")


@pytest.fixture(autouse=True)
def _own_folder(settings: Any, tmp_path: Path) -> None:
    settings.SEALS_DIR = tmp_path / "seals"


def tamper(statement: str, *values: Any) -> None:
    """Do what only a superuser can: write past every trigger."""
    with past.the_triggers(), connection.cursor() as cursor:
        cursor.execute(statement, values)


def fault() -> str:
    """Return the sentence about the first fault."""
    with pytest.raises(BrokenLedgerError) as broken:
        verify(lambda done: None)
    return str(broken.value)


def undone(act: Callable[[], Any]) -> None:
    """Do something in a transaction that ends like one of a process that dies: rolled back."""
    with transaction.atomic():
        act()
        transaction.set_rollback(True)


def counted() -> tuple[int, int, int]:
    found = verify(lambda done: None)
    return found.seals, found.sealed, found.unsealed


def written_by_a_superuser(**changes: Any) -> str:
    """Return the statement that copies an entry with changes; the digest comes by itself."""
    columns = [field.column for field in Event._meta.concrete_fields if field.column != "digest"]
    values = ", ".join(str(changes.get(column, column)) for column in columns)
    return (
        f"INSERT INTO consent_event ({', '.join(columns)}) "
        f"SELECT {values} FROM consent_event WHERE id = %s"
    )


@pytest.fixture
def ledger() -> list[int]:
    """Two seals of three and two entries, and one entry after them; return the numbers."""
    anna = cast.person()
    say_yes(anna, H_EMAIL, collected=Collected.PHONE, evidence="Samtal 12, manus 3")
    seal()
    bjorn = cast.person("Björn")
    seal()
    say_no(bjorn)
    return list(Event.objects.values_list("pk", flat=True))


def test_a_ledger_nobody_touched_holds_and_tells_how_much_is_sealed(ledger: list[int]) -> None:
    assert counted() == (2, 5, 1)
    told = io.StringIO()
    call_command("verify_ledger", stdout=told)
    assert "5 entries sealed in 2 seals, 1 not sealed yet" in told.getvalue()
    assert Seal.objects.get(number=2).digest.hex() in told.getvalue()
    assert "\x1b" not in told.getvalue()


def test_nothing_new_makes_no_seal(ledger: list[int]) -> None:
    assert len(seal()) == 1
    assert seal() == []
    assert counted() == (3, 6, 0)


def test_an_empty_ledger_holds() -> None:
    assert seal() == []
    assert counted() == (0, 0, 0)


def test_each_seal_is_chained_to_the_one_before(ledger: list[int]) -> None:
    first, second = Seal.objects.all()
    assert (bytes(first.previous), bytes(second.previous)) == (bytes(32), bytes(first.digest))
    assert (first.first_event, first.last_event, first.entry_count) == (ledger[0], ledger[2], 3)
    outside = seals.head(2)
    assert outside is not None
    assert outside.digest == bytes(second.digest)
    assert [number for number, _ in seals.entries(outside)] == ledger[3:5]


def test_the_files_are_for_their_owner_only(ledger: list[int]) -> None:
    folder = seals.path(1).parent
    assert folder.stat().st_mode & 0o777 == 0o700
    assert seals.path(1).stat().st_mode & 0o777 == 0o600
    assert not (folder / "unfinished").exists()
    assert seals.path(1).stat().st_size == seals.HEAD_SIZE + 3 * 40


def test_seals_are_never_changed_deleted_or_emptied(ledger: list[int]) -> None:
    for statement in (
        "UPDATE consent_seal SET entry_count = 1",
        "DELETE FROM consent_seal",
        "TRUNCATE consent_seal",
    ):
        with pytest.raises(InternalError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_a_changed_entry_is_found(ledger: list[int]) -> None:
    tamper("UPDATE consent_event SET kind = 'no' WHERE id = %s", ledger[3])
    assert fault() == f"Entry {ledger[3]} was changed after seal 2."


def test_a_changed_entry_with_a_digest_that_fits_is_found(ledger: list[int]) -> None:
    copy = written_by_a_superuser(kind="'no'")
    tamper("UPDATE consent_event SET id = -id WHERE id = %s", ledger[1])
    tamper(copy.replace("SELECT id,", f"SELECT {ledger[1]},"), -ledger[1])
    tamper("DELETE FROM consent_event WHERE id < 0")
    assert fault() == f"Entry {ledger[1]} was changed after seal 1."


def test_a_deleted_entry_is_found(ledger: list[int]) -> None:
    tamper("DELETE FROM consent_event WHERE id = %s", ledger[1])
    assert fault().startswith(f"Entry {ledger[1]} is missing")


def test_a_backdated_entry_is_found(ledger: list[int]) -> None:
    tamper("UPDATE consent_event SET id = id + 1000 WHERE id = %s", ledger[5])
    with connection.cursor() as cursor:  # a gap, as a rollback leaves one
        cursor.execute("SELECT setval(pg_get_serial_sequence('consent_event', 'id'), %s)", [10**6])
    say_no(cast.person("Cecilia"))
    seal()
    backdated = ledger[5] + 1
    tamper(written_by_a_superuser(id=backdated), ledger[0])
    assert fault() == f"Entry {backdated} was put in after seal 3."


def test_an_entry_put_in_before_the_last_sealed_one_is_found(ledger: list[int]) -> None:
    tamper("UPDATE consent_event SET id = %s WHERE id = %s", ledger[0] - 1, ledger[5])
    assert fault() == f"Entry {ledger[0] - 1} was put in after seal 1."


def test_swapped_numbers_are_found(ledger: list[int]) -> None:
    tamper("UPDATE consent_event SET id = 0 WHERE id = %s", ledger[1])
    tamper("UPDATE consent_event SET id = %s WHERE id = %s", ledger[1], ledger[3])
    tamper("UPDATE consent_event SET id = %s WHERE id = 0", ledger[3])
    assert fault() == f"Entry {ledger[1]} was changed after seal 1."


def test_a_cut_tail_is_found_with_its_seal_cut_too(ledger: list[int]) -> None:
    tamper("DELETE FROM consent_event WHERE id >= %s", ledger[4])
    tamper("DELETE FROM consent_seal WHERE number = 2")
    assert fault().startswith(f"Entry {ledger[4]} is missing")
    with pytest.raises(seals.BrokenSealError, match="Seal 2"):
        seal()


def test_an_entry_whose_digest_was_made_to_stand_still_is_found(ledger: list[int]) -> None:
    tamper("ALTER TABLE consent_event ALTER COLUMN digest DROP EXPRESSION")
    tamper("UPDATE consent_event SET purpose = 'G' WHERE id = %s", ledger[5])
    assert fault() == f"Entry {ledger[5]} does not match its own digest."
    tamper("UPDATE consent_event SET kind = 'no' WHERE id = %s", ledger[3])
    assert fault() == f"Entry {ledger[3]} was changed after seal 2."


def test_an_entry_without_a_whole_digest_is_sealed_and_found(ledger: list[int]) -> None:
    tamper("ALTER TABLE consent_event ALTER COLUMN digest DROP EXPRESSION")
    tamper("UPDATE consent_event SET digest = '' WHERE id = %s", ledger[5])
    assert len(seal()) == 1
    assert fault() == f"Entry {ledger[5]} was changed after seal 3."


@pytest.mark.parametrize("statement", ["DELETE FROM", "UPDATE"])
def test_a_seal_changed_or_cut_in_the_database_is_found(ledger: list[int], statement: str) -> None:
    if statement == "UPDATE":
        tamper("UPDATE consent_seal SET root = previous WHERE number = 1")
        assert fault() == "Seal 1 in the database is not the one outside it."
    else:
        tamper("DELETE FROM consent_seal WHERE number = 1")
        assert fault() == "Seal 1 is missing in the database."


def test_a_seal_changed_or_gone_outside_is_found(ledger: list[int]) -> None:
    whole = seals.path(1).read_bytes()
    seals.path(1).write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert fault() == "Seal 1 outside the database does not match its root."
    seals.path(1).write_bytes(whole[:-40])
    assert fault() == "Seal 1 outside the database does not match its root."
    seals.path(1).write_bytes(b"{" + whole[2:])
    assert fault() == "Seal 1 outside the database cannot be read."
    seals.path(1).unlink()
    assert fault() == "Seal 1 is missing outside the database."
    seals.path(1).write_bytes(whole)
    seals.path(2).unlink()
    assert fault() == "Seal 2 is missing outside the database."


def test_a_seal_made_anew_over_changed_entries_breaks_the_chain(
    ledger: list[int], tmp_path: Path
) -> None:
    one = seals.head(1)
    assert one is not None
    forged = b"".join(seals.ENTRY.pack(number, bytes(32)) for number, _ in seals.entries(one))
    seals.write([forged], number=1, previous=bytes(32), sealed_at=Seal.objects.all()[0].sealed_at)
    assert fault() == "Seal 1 in the database is not the one outside it."


def test_changed_evidence_is_found(ledger: list[int]) -> None:
    with past.the_triggers():
        EventDetail.objects.filter(event_id=ledger[2]).update(evidence="Samtal 13")
    assert fault() == f"The evidence of entry {ledger[2]} was changed."


def test_evidence_given_afterwards_is_found(ledger: list[int]) -> None:
    EventDetail.objects.create(event_id=ledger[3], evidence="Sa ja i telefon")
    assert fault() == f"The evidence of entry {ledger[3]} was changed."


def test_a_wording_changed_after_it_was_published_is_found(ledger: list[int]) -> None:
    notice = Notice.objects.latest("pk")
    tamper("UPDATE consent_notice SET text = text || ' Och allt annat.' WHERE id = %s", notice.pk)
    assert fault() == f"Wording {notice.pk} was changed after it was published."


@pytest.mark.parametrize(
    "statement",
    [
        (
            "UPDATE consent_notice SET text = '', content_hash = encode(sha256(''), 'hex') "
            "WHERE id = %s"
        ),
        "DELETE FROM consent_notice WHERE id = %s",
        "UPDATE consent_notice SET language = 'fi' WHERE id = %s",
    ],
)
def test_a_wording_whose_hash_was_made_to_fit_is_found(ledger: list[int], statement: str) -> None:
    shown = Event.objects.filter(notice__isnull=False).values("notice")
    unused = Notice.objects.exclude(pk__in=shown).earliest("pk")
    tamper(statement, unused.pk)
    assert fault() == "A wording is not what it was at seal 1."


def test_a_wording_published_later_changes_nothing_for_the_seals_before_it(
    ledger: list[int],
) -> None:
    shown = Notice.objects.latest("pk")
    later = Notice.objects.create(
        policy_version=shown.policy_version,
        collected=shown.collected,
        language="fi",
        text="Kiitos.",
        content_hash=sha256(b"Kiitos.").hexdigest(),
    )
    assert counted() == (2, 5, 1)
    seal()
    assert counted() == (3, 6, 0)
    words = "UPDATE consent_notice SET text = %s, content_hash = %s WHERE id = %s"
    tamper(words, "Hei.", sha256(b"Hei.").hexdigest(), later.pk)
    assert fault() == "A wording is not what it was at seal 3."


def test_the_command_names_the_entry_and_fails(ledger: list[int]) -> None:
    tamper("UPDATE consent_event SET authority = 2 WHERE id = %s", ledger[2])
    with pytest.raises(CommandError) as failed:
        call_command("verify_ledger", stdout=io.StringIO())
    assert str(failed.value) == f"Entry {ledger[2]} was changed after seal 1."
    assert failed.value.returncode == 1


def test_the_ledger_holds_when_a_person_is_erased(ledger: list[int]) -> None:
    anna = Customer.objects.get(given_name="Anna")
    EventDetail.objects.filter(event__customer=anna).delete()
    Customer.objects.filter(pk=anna.pk).update(given_name="", family_name="")
    assert counted() == (2, 5, 1)


def test_evidence_that_went_without_its_person_is_found(ledger: list[int]) -> None:
    EventDetail.objects.filter(event_id=ledger[2]).delete()
    assert fault() == f"The evidence of entry {ledger[2]} is missing."


def test_the_ledger_holds_after_a_night_that_took_a_person(ledger: list[int]) -> None:
    execute(open_run(today())[0])
    assert not Customer.objects.filter(given_name="Anna").exists()
    assert counted()[1] == 5


def test_a_gap_left_by_a_rollback_is_no_fault(ledger: list[int]) -> None:
    undone(lambda: restrict(Customer.objects.get(given_name="Anna")))
    say_no(Customer.objects.get(given_name="Anna"))
    seal()
    numbers = list(Event.objects.values_list("pk", flat=True))
    assert numbers[-1] - numbers[-2] > 1
    assert counted() == (3, 7, 0)


def test_a_crash_between_file_and_row_is_healed_at_the_next_seal(ledger: list[int]) -> None:
    undone(seal)
    assert seals.last_number() == 3
    assert Seal.objects.count() == 2
    assert counted() == (3, 6, 0)
    say_no(cast.person("Cecilia"))
    assert [row.number for row in seal()] == [3, 4]
    assert counted() == (4, 9, 0)


def test_a_half_written_file_is_no_seal(ledger: list[int]) -> None:
    (seals.path(1).parent / "unfinished").write_bytes(b"half")
    assert [row.number for row in seal()] == [3]
    assert counted() == (3, 6, 0)


def in_a_thread(act: Callable[[], Any]) -> threading.Thread:
    def run() -> None:
        try:
            act()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


@pytest.mark.django_db(transaction=True)
def test_an_entry_under_way_is_waited_for() -> None:
    anna, bjorn = cast.person(), cast.person("Björn", family_name="Al", phone="")
    begun, done = threading.Event(), threading.Event()

    def slowly() -> None:
        with transaction.atomic():
            say_no(bjorn)
            begun.set()
            done.wait(20)

    writer = in_a_thread(slowly)
    begun.wait(20)
    say_no(anna)  # a higher number, committed first
    with pytest.raises(OperationalError):
        seal()
    done.set()
    writer.join()
    assert len(seal()) == 1
    assert counted() == (1, 6, 0)


@pytest.mark.django_db(transaction=True)
def test_eight_writers_at_once_are_sealed_clean() -> None:
    people = [cast.person(f"Anna{number}", email="") for number in range(8)]
    turns = 12

    def writes(person: Customer) -> Callable[[], None]:
        def act() -> None:
            for turn in range(turns):
                say_yes(person, H_EMAIL, collected=Collected.PHONE, evidence=f"Samtal {turn}")
                undone(lambda: say_no(person))

        return act

    writers = [in_a_thread(writes(person)) for person in people]
    made = 0
    while any(writer.is_alive() for writer in writers):
        try:
            made += len(seal())
        except OperationalError:
            continue
        assert verify(lambda done: None).seals >= made
    for writer in writers:
        writer.join()
    seal()
    assert made > 1
    assert counted()[1:] == (8 * (2 + turns), 0)


@pytest.mark.django_db(transaction=True)
def test_two_that_seal_at_once_make_one_chain(ledger: list[int]) -> None:
    sealers = [in_a_thread(seal) for _ in range(4)]
    for sealer in sealers:
        sealer.join()
    assert counted() == (3, 6, 0)


def test_what_an_import_wrote_is_sealed_and_its_evidence_holds(tmp_path: Path) -> None:
    said = {"number": "K1", "answer": "yes", "purpose": "H", "channel": "email"}
    load(
        tmp_path,
        customers=[person(noticed_on="2020-03-01")],
        consents=[{**said, "given_on": "2020-03-02", "evidence": "Talong 7, ikryssad"}],
    )
    seal()
    assert counted() == (1, 2, 0)
    with past.the_triggers():
        EventDetail.objects.update(evidence="Talong 8, ikryssad")
    assert fault().startswith("The evidence of entry")


@pytest.mark.django_db(transaction=True)
def test_an_import_that_has_drawn_its_numbers_is_waited_for() -> None:
    cast.person()
    drawn, done = threading.Event(), threading.Event()

    def prepare() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            staging.create(cursor, CUSTOMERS)
            staging.create(cursor, CONSENTS)
            cursor.execute(EVENTS)
            drawn.set()
            done.wait(20)

    importer = in_a_thread(prepare)
    assert drawn.wait(20)
    with pytest.raises(OperationalError):
        seal()
    done.set()
    importer.join()
    assert len(seal()) == 1
