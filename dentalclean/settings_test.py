"""Settings of the tests: an embedded house of its own, in a folder that goes with the run.

The process that starts the run draws the folder; the workers of pytest-xdist inherit its name and
get a Valkey database each. pytest-django gives each a PostgreSQL database.
"""

import atexit
import os
import shutil
import tempfile

OWN_FOLDER = "DENTALCLEAN_TEST_DIR"
if OWN_FOLDER not in os.environ:
    os.environ[OWN_FOLDER] = tempfile.mkdtemp(prefix="dentalclean-test-")
    atexit.register(shutil.rmtree, os.environ[OWN_FOLDER], ignore_errors=True)
os.environ["DATA_DIR"] = os.environ[OWN_FOLDER]
os.environ["DENTALCLEAN_EMBEDDED"] = "1"
for _name in (
    "DATABASE_URL",
    "BROKER_URL",
    "CACHE_URL",
    "EMAIL_URL",
    "SITE_URL",
    "PORT",
    "DATABASE_ROLES",
):
    os.environ.pop(_name, None)

from dentalclean.embedded.places import SUPERUSER  # noqa: E402
from dentalclean.settings import *  # noqa: E402, F403
from dentalclean.settings import CACHES, DATA_DIR, DATABASES, HOUSE, STORAGES  # noqa: E402

_worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
CELERY_BROKER_URL = HOUSE.broker_url(2 * _worker)
CACHES["default"]["LOCATION"] = HOUSE.cache_url(2 * _worker + 1)
if "DENTALCLEAN_TEST_DATABASE" in os.environ:  # a real worker beside a test: tests/workers.py
    DATABASES["default"]["NAME"] = os.environ["DENTALCLEAN_TEST_DATABASE"]
else:  # tests make databases, and write past the triggers to see that it is found
    DATABASES["default"]["USER"] = SUPERUSER

DATA_DIR = DATA_DIR / f"worker-{_worker}"
DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
STATIC_ROOT = DATA_DIR / "static"
STATIC_ROOT.mkdir(exist_ok=True)
MEDIA_ROOT = DATA_DIR / "files"
SEALS_DIR = DATA_DIR / "seals"
ERASURES_DIR = DATA_DIR / "erasures"

STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
