#!/usr/bin/env python3
"""Run one of Django's or this project's commands."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line


def main() -> None:
    """Hand the arguments to Django; say what is wrong with the settings in one sentence."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dentalclean.settings")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as problem:
        sys.exit(f"{problem}")


if __name__ == "__main__":
    main()
