"""Bring the database and the static files up to date, before anyone is let in.

python -m dentalclean.embedded.prepare FILE    what the demo says to people is written to FILE
"""

import os
import sys
from pathlib import Path

import django
from django.core.management import call_command, get_commands


def main(greeting: Path) -> None:
    """Check, migrate, publish the policy, gather static files, fill in demo people; all in one."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dentalclean.settings")
    django.setup()
    call_command("check")
    call_command("migrate", interactive=False, verbosity=1)
    call_command("publish_policy")
    call_command("sync_roles", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=1)
    with greeting.open("w") as file:
        if "demo" in get_commands():
            call_command("demo", stdout=file)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
