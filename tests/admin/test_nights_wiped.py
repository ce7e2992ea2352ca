"""The page of a night says whether what it took can still be read in the database's files."""

from datetime import date

import pytest
from django.db import connection
from django.test import Client
from django.utils import translation

from retention import wiping
from retention.actions import execute, open_run
from retention.night_words import wiped
from tests import cast

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_page_of_a_night_says_whether_it_is_wiped(disa: Client) -> None:
    customer = cast.person("Anna", since=date(2019, 1, 7))
    cast.subscription(customer, date(2019, 1, 7), date(2022, 10, 1))
    run = execute(open_run(date(2026, 11, 20))[0])
    page = f"/personal/retention/run/{run.pk}/change/"
    assert "kan ännu läsas i databasens filer" in disa.get(page).content.decode()
    wiping.wipe(run)
    with connection.cursor() as cursor:
        cursor.execute("CHECKPOINT")
    wiping.wipe(run)
    assert "är överskrivet i databasens filer" in disa.get(page).content.decode()
    with translation.override("en"):
        assert "overwritten in the files of the database" in wiped(run)
