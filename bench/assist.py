"""django-gdpr-assist on the same tables: what a library's delete of one person after another costs.

It is told of our models as its manual says (`gdpr_assist.register`) and deletes each person by its
queryset, logging every row to the database it keeps for that. What it does not know by itself is
done around it: rows that Django protects go first, and one transaction in each of the two databases
holds a person together.
"""

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import date
from importlib.util import find_spec

from django.apps import apps
from django.core.management import call_command
from django.db import connection, transaction

from bench import house
from bench.measure import report, seconds
from bench.purge import build
from customers.dates import today
from customers.models import Customer, User
from retention import actions, rules

GOAL = 60
SAMPLE = 40
BATCH = 1000  # people, as our nights make them
PROGRAM = "import django; django.setup(); from bench import assist; assist.work()"

# In the order in which a person's rows let go of each other: model, path to the person.
MODELS = (
    ("consent.EventDetail", "event__customer"),
    ("disclosures.Outbox", "customer"),
    ("customers.Invoice", "customer"),
    ("customers.Order", "customer"),
    ("customers.Subscription", "customer"),
    ("customers.SupportCase", "customer"),
    ("customers.Change", "customer"),
    ("customers.Address", "customer"),
    ("customers.AccessLog", "customer"),
    ("privacy_requests.CaseEvent", "case__customer"),
    ("privacy_requests.Case", "customer"),
    ("consent.Standing", "customer"),
    ("consent.ProcessingRecord", "customer"),
)


def run(n: int, rounds: int) -> None:
    """Delete whoever leaves wholly: all of them by us, some of them by the library."""
    if find_spec("gdpr_assist") is None:
        raise SystemExit("Install requirements/bench.txt first; `make bench` does.")
    build(n)
    ours, theirs = 0.0, 0.0
    for _turn in range(rounds):
        house.copy("world", "ours")
        night, _ = actions.open_run(today())
        people = leaving(today())
        parts = [people[start : start + BATCH] for start in range(0, len(people), BATCH)]
        took = seconds(lambda: [actions.purge_people(night, part) for part in parts])  # noqa: B023
        ours = max(ours, len(people) / took)
        house.copy("world", "assist")
        theirs = max(theirs, rate(people[:: max(len(people) // SAMPLE, 1)]))
    house.drop("assist")
    report(
        "assist",
        n,
        ours=ours,
        reference=theirs,
        goal=GOAL,
        sentence=f"People who leave wholly, with all their rows: ours {ours:,.0f} people/s in "
        f"batches of {BATCH:,}, receipts included, django-gdpr-assist {theirs:.1f} people/s.",
    )


def leaving(on: date) -> list[int]:
    """Return the people of whom the night to `on` leaves nothing."""
    found = []
    due = rules.due(on)
    for start in range(0, len(due), rules.BATCH):
        rows = rules.algebra(on, due[start : start + rules.BATCH])
        found += [row[0] for row in rules.vanishing(on, rows)]
    return found


def rate(people: Sequence[int]) -> float:
    """Delete people of the database in use by django-gdpr-assist; return people per second."""
    database = connection.settings_dict["NAME"]
    house.drop("gdpr_log")
    with connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE gdpr_log")
    house.use(database)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        input=json.dumps({"database": database, "people": list(people)}),
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "bench.assist_settings"},
    )
    if done.returncode != 0:
        raise SystemExit(f"django-gdpr-assist has failed:\n{done.stderr}")
    return float(done.stdout.splitlines()[-1])


def work() -> None:
    """Delete the people named on stdin, in a process of its own, and print people per second."""
    library = importlib.import_module("gdpr_assist")  # there only where its settings are
    told = json.load(sys.stdin)
    house.use(told["database"])
    models = [(apps.get_model(name), path) for name, path in MODELS]
    for model in (Customer, User, *(model for model, _path in models)):
        library.register(model)
    for database in ("gdpr_log", "default"):
        call_command("migrate", "gdpr_assist", database=database, verbosity=0)
    people = told["people"]

    def delete(number: int) -> None:
        with transaction.atomic(), transaction.atomic(using="gdpr_log"):
            for model, path in models:
                model.objects.filter(**{path: number}).delete()
            customer = Customer.objects.get(pk=number)
            user = customer.user
            Customer.objects.filter(pk=number).delete()
            if user is not None:
                user.emailaddress_set.all().delete()
                User.objects.filter(pk=user.pk).delete()

    delete(people[0])  # connections and caches are warm after it
    took = seconds(lambda: [delete(number) for number in people[1:]])
    left = Customer.objects.filter(pk__in=people).count()
    if left:
        raise SystemExit(f"{left} people were left.")
    print((len(people) - 1) / took)
