"""Run one of Django's commands under production settings, with secrets drawn for this one run.

python -m tests.production_settings check --deploy --fail-level WARNING
"""

import os
import sys
import tempfile
import warnings

from django.core.management import execute_from_command_line

from dentalclean.embedded import keys


def environment(data_dir: str) -> dict[str, str]:
    """Give what a production server would have in its environment; nothing answers there."""
    return {
        **keys.generate(),
        "DJANGO_SETTINGS_MODULE": "dentalclean.settings",
        "DENTALCLEAN_EMBEDDED": "0",
        "DATA_DIR": data_dir,
        "DATABASE_URL": "postgres://nobody@/nothing?host=/nowhere",
        "BROKER_URL": "redis://127.0.0.1:1/0",
        "CACHE_URL": "redis://127.0.0.1:1/1",
        "EMAIL_URL": "smtp+tls://127.0.0.1:1",
        "MAIL_FROM": "Dentalclean <kundservice@dentalclean.example>",
        "SITE_URL": "https://minsida.dentalclean.example",
        "ALLOWED_HOSTS": "minsida.dentalclean.example",
        "CONTROLLER_NAME": "Dentalclean AB",
        "CONTROLLER_ORGANISATION_NUMBER": "556000-0000",
        "CONTROLLER_ADDRESS": "Exempelgatan 1, 111 22 Stockholm",
        "CONTROLLER_PHONE": "08-465 004 10",
        "CONTROLLER_PHONE_HOURS": "vardagar 9-16",
        "CONTROLLER_PHONE_HOURS_EN": "weekdays 9-16",
        "CONTROLLER_EMAIL": "dataskydd@dentalclean.example",
    }


def main() -> None:
    """Hand the arguments to Django."""
    warnings.filterwarnings("ignore", "Got an error checking a consistent migration history")
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= environment(folder)
        os.environ.pop("DJANGO_ALLOW_ASYNC_UNSAFE", None)  # what tests with a browser ask for
        execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
