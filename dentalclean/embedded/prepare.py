"""Bring the database and the static files up to date, before anyone is let in.

python -m dentalclean.embedded.prepare FILE    what the demo says to people is written to FILE
"""

import os
import sys
import time
from pathlib import Path

import django
from django.core.management import call_command
from django.db import OperationalError, connection

NOT_SHOWN = ["rest_framework"]  # the pages of the browsable API, which nobody sees here
PATIENCE = 60.0  # seconds for the database to answer


def main(greeting: Path) -> None:
    """Check, gather static files, migrate, publish the policy, fill in demo people; all in one."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dentalclean.settings")
    django.setup()
    call_command("check")
    call_command("collectstatic", interactive=False, ignore_patterns=NOT_SHOWN)
    wait_for_the_database()
    call_command("migrate", interactive=False)
    call_command("check", databases=["default"])
    call_command("publish_policy")
    with greeting.open("w") as file:
        call_command("demo", stdout=file)


def wait_for_the_database() -> None:
    """Wait until the database answers; it is started at the same time."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            connection.ensure_connection()
        except OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
        else:
            return


if __name__ == "__main__":
    main(Path(sys.argv[1]))
