"""Settings of Dentalclean: everything that differs between two installations is in the environment.

In production nothing has a working default. An embedded house (`make run`, `make test`; told by
DENTALCLEAN_EMBEDDED=1) fills in what it can know itself and draws its secrets once.
"""

import base64
import binascii
import json
import os
import re
from email.utils import parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from celery.schedules import crontab
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from dentalclean.embedded.keys import read_or_create
from dentalclean.embedded.places import ROLES, House

BASE_DIR = Path(__file__).resolve().parent.parent


# Readers of the environment


def text(name: str, what: str, embedded: str | None = None) -> str:
    """Read a value that must be there; an embedded house may bring its own."""
    value = os.environ.get(name, "").strip()
    if not value and EMBEDDED and embedded is not None:
        value = embedded
    if not value:
        raise ImproperlyConfigured(f"Set {name} in the environment to {what}.")
    return value


def number(name: str, default: int) -> int:
    """Read a whole number."""
    value = os.environ.get(name, "").strip() or str(default)
    if not value.isascii() or not value.isdigit():
        raise ImproperlyConfigured(f"Set {name} in the environment to a whole number, 0 or more.")
    return int(value)


def switch(name: str, default: bool = False) -> bool:
    """Read a yes (1) or a no (0)."""
    value = os.environ.get(name, "").strip() or str(int(default))
    if value not in {"0", "1"}:
        raise ImproperlyConfigured(f"Set {name} in the environment to 1 for yes or 0 for no.")
    return value == "1"


def names(name: str, what: str, embedded: str | None = None) -> list[str]:
    """Read a list with commas between."""
    return [part.strip() for part in text(name, what, embedded).split(",") if part.strip()]


def _decode_key(name: str, encoded: str) -> bytes:
    try:
        key = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != 32:
        raise ImproperlyConfigured(f"Give {name} keys of exactly 32 bytes, written in base64.")
    return key


def key(name: str, what: str) -> bytes:
    """Read one key of 32 bytes."""
    return _decode_key(name, text(name, what, _own_secrets.get(name)))


def key_ring(name: str, what: str) -> dict[str, bytes]:
    """Read a ring of keys, "id:base64,id:base64"; the first one encrypts, all of them decrypt."""
    ring: dict[str, bytes] = {}
    for entry in names(name, what, _own_secrets.get(name)):
        key_id, _, encoded = entry.partition(":")
        if not key_id.isalnum() or key_id in ring:
            raise ImproperlyConfigured(
                f"Write {name} as id:key,id:key with ids of letters and digits, each used once."
            )
        ring[key_id] = _decode_key(name, encoded)
    if not ring:
        raise ImproperlyConfigured(f"Set {name} in the environment to {what}.")
    return ring


BROKER_KEYS = {"name", "server_url", "client_id", "client_secret", "acr_values", "claim"}


def brokers(name: str) -> dict[str, dict[str, Any]]:
    """Read the identity brokers, a JSON object of objects by slug; none when it is not set."""
    try:
        found = json.loads(os.environ.get(name, "").strip() or "{}")
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ImproperlyConfigured(
            f'Write {name} as JSON: {{"bankid": {{"name": "BankID", ...}}}}.'
        )
    return {slug: _broker(name, slug, about) for slug, about in found.items()}


def _broker(name: str, slug: str, about: Any) -> dict[str, Any]:
    wrong = f"{name}, {slug}: "
    if not re.fullmatch(r"[a-z0-9-]{1,30}", slug):
        raise ImproperlyConfigured(wrong + "name a broker in small letters, digits and hyphens.")
    if not isinstance(about, dict) or set(about) - {"scope"} != BROKER_KEYS:
        raise ImproperlyConfigured(
            wrong + f"give exactly {', '.join(sorted(BROKER_KEYS))}, and scope if it takes one."
        )
    levels = about["acr_values"]
    if not isinstance(levels, list) or not levels:
        raise ImproperlyConfigured(wrong + "list at least one level in acr_values.")
    words = [*levels, *(value for key, value in about.items() if key != "acr_values")]
    if not all(isinstance(word, str) and word.strip() for word in words):
        raise ImproperlyConfigured(wrong + "every value is a text that is not empty.")
    server = urlsplit(about["server_url"])
    on_this_machine = EMBEDDED and server.hostname in {"127.0.0.1", "localhost", "::1"}
    if not server.hostname or server.scheme not in (
        {"http", "https"} if on_this_machine else {"https"}
    ):
        raise ImproperlyConfigured(wrong + "write server_url as https:// followed by the issuer.")
    scope = about.get("scope", "openid")
    if "openid" not in scope.split():
        raise ImproperlyConfigured(wrong + "scope holds openid.")
    return {**about, "slug": slug, "acr_values": tuple(levels), "scope": scope}


# Mode

EMBEDDED = switch("DENTALCLEAN_EMBEDDED")
DEBUG = False
DATA_DIR = Path(
    text("DATA_DIR", "the folder for extracts and other files", str(BASE_DIR / "var"))
).resolve()
HOUSE = House(DATA_DIR)
_own_secrets: dict[str, str] = read_or_create(HOUSE.secrets) if EMBEDDED else {}

# Secrets

SECRET_KEY = text(
    "SECRET_KEY", "a random text of at least 50 characters", _own_secrets.get("SECRET_KEY")
)
_RING = "a ring of 32-byte keys in base64, written id:key,id:key with the current one first"
_KEY = "a random 32-byte key in base64"
FIELD_KEYS = key_ring("FIELD_KEYS", _RING)
EXTRACT_KEYS = key_ring("EXTRACT_KEYS", _RING)
RECEIPT_KEYS = key_ring("RECEIPT_KEYS", _RING)
LOOKUP_KEY = key("LOOKUP_KEY", _KEY)
SUPPRESSION_KEY = key("SUPPRESSION_KEY", _KEY)

# Who answers for the personal data

CONTROLLER = {
    "name": text("CONTROLLER_NAME", "the name of the controller", "Dentalclean AB"),
    "organisation_number": text(
        "CONTROLLER_ORGANISATION_NUMBER",
        "the controller's organisation number, written 556000-0000",
        "556000-0000",
    ),
    "address": text(
        "CONTROLLER_ADDRESS",
        "the controller's postal address on one line",
        "Exempelgatan 1, 111 22 Stockholm",
    ),
    "phone": text("CONTROLLER_PHONE", "the phone number of customer service", "08-465 004 10"),
    "phone_hours": text(
        "CONTROLLER_PHONE_HOURS", "the hours of customer service, in Swedish", "vardagar 9-16"
    ),
    "email": text(
        "CONTROLLER_EMAIL",
        "the e-mail address for questions about personal data",
        "dataskydd@dentalclean.example",
    ),
}
PHONE_HOURS_EN = text(
    "CONTROLLER_PHONE_HOURS_EN", "the hours of customer service, in English", "weekdays 9-16"
)

# Address

PORT = number("PORT", 8000)
SITE_URL = text(
    "SITE_URL",
    "the address people type, for example https://minsida.example.se",
    f"http://127.0.0.1:{PORT}",
).rstrip("/")
_site = urlsplit(SITE_URL)
if _site.scheme not in ({"http", "https"} if EMBEDDED else {"https"}) or not _site.hostname:
    raise ImproperlyConfigured("Write SITE_URL as https:// followed by a host name.")
ALLOWED_HOSTS = names(
    "ALLOWED_HOSTS",
    "the host names this site answers to, with commas between",
    "127.0.0.1,localhost,[::1]",
)
CSRF_TRUSTED_ORIGINS = [SITE_URL]
ROOT_URLCONF = "dentalclean.urls"
WSGI_APPLICATION = "dentalclean.wsgi.application"

# Rooms

INSTALLED_APPS = [
    "dentalclean",
    "privacy_requests",
    "marketing",
    "retention",
    "disclosures",
    "consent",
    "customers",
    "dentalclean.apps.StaffAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "allauth",
    "allauth.account",
    "rest_framework",
    "django_htmx",
    "pgtrigger",
    "csp",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "dentalclean.middleware.RestoreGateMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "dentalclean.middleware.SessionEndMiddleware",
    "dentalclean.middleware.NoStoreMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# Database

DATABASE_URL = text(
    "DATABASE_URL",
    "the address of the PostgreSQL database, for example postgres://user:password@host/name",
    HOUSE.database_url,
)
_database = environ.Env.db_url_config(DATABASE_URL)
if not str(_database.get("ENGINE", "")).endswith("postgresql"):
    raise ImproperlyConfigured("Write DATABASE_URL as postgres:// followed by the address.")
_options = _database.setdefault("OPTIONS", {})
if "host" in _options:  # a socket folder; dbshell reads HOST only
    _database["HOST"] = _options.pop("host")
_options["connect_timeout"] = 5
STATEMENT_TIMEOUT_MS = number("STATEMENT_TIMEOUT_MS", 0)  # the web server sets one: wsgi.py
if STATEMENT_TIMEOUT_MS:
    _options["options"] = f"-c statement_timeout={STATEMENT_TIMEOUT_MS}"
DATABASES = {"default": {**_database, "CONN_MAX_AGE": 600, "CONN_HEALTH_CHECKS": True}}
_roles = [name.strip() for name in os.environ.get("DATABASE_ROLES", "").split(",") if name.strip()]
_roles = _roles or list(ROLES.values())
if len(set(_roles)) != len(ROLES):
    raise ImproperlyConfigured("Name three roles in DATABASE_ROLES: owner,app,auditor.")
DATABASE_ROLES = dict(zip(ROLES, _roles, strict=True))  # what each may do: database_roles.py
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Cache

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": text(
            "CACHE_URL",
            "the address of the Valkey cache, for example redis://host:6379/0",
            HOUSE.cache_url(),
        ),
        "KEY_PREFIX": "dentalclean",
    }
}

# Tasks: ids on the way to a worker. Work that must not be lost is a row in PostgreSQL, rung again
# by the reconcilers below, so a task that arrives twice or never changes nothing.

CELERY_BROKER_URL = text(
    "BROKER_URL",
    "the address of the Valkey broker, for example redis://host:6379/0",
    HOUSE.broker_url(),
)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_STORE_ERRORS_EVEN_IF_IGNORED = False
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_TIME_LIMIT = 60 * 60
CELERY_TASK_SOFT_TIME_LIMIT = 55 * 60
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 6 * 60 * 60,  # far above the time limit, or two workers run one task
    "unacked_restore_interval": 1,
    "unacked_restore_throttle": 1,
}
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_TIMEZONE = "Europe/Stockholm"
PURGE_SHARES = number("PURGE_SHARES", 2)  # messages per ring: how many workers share a night
CELERY_BEAT_SCHEDULE = {
    "purge": {"task": "retention.tasks.nightly", "schedule": crontab(hour=2, minute=30)},
    "purge again": {
        "task": "retention.tasks.reconcile",
        "schedule": 60,
        "options": {"expires": 60},
    },
    "send": {"task": "disclosures.tasks.relay", "schedule": 30, "options": {"expires": 30}},
    "first notices": {
        "task": "disclosures.tasks.first_notices",
        "schedule": 5 * 60,
        "options": {"expires": 5 * 60},
    },
    "recipients": {
        "task": "disclosures.tasks.chase",
        "schedule": 60 * 60,
        "options": {"expires": 60 * 60},
    },
    "seal": {
        "task": "consent.tasks.seal",
        "schedule": 2 * 60,
        "options": {"expires": 2 * 60},
    },
    "campaigns": {
        "task": "marketing.tasks.reconcile",
        "schedule": 60,
        "options": {"expires": 60},
    },
    "cases": {
        "task": "privacy_requests.tasks.reconcile",
        "schedule": 60,
        "options": {"expires": 60},
    },
    "clock of cases": {
        "task": "privacy_requests.tasks.clock",
        "schedule": 60 * 60,
        "options": {"expires": 60 * 60},
    },
}

# Sign-in: a code by e-mail, for customers and staff alike

AUTH_USER_MODEL = "customers.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS: list[dict[str, str]] = []
ACCOUNT_ADAPTER = "dentalclean.adapters.AccountAdapter"
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGOUT_REDIRECT_URL = "/"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_MAX_ATTEMPTS = 5
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = 10 * 60
ACCOUNT_LOGIN_BY_CODE_SUPPORTS_RESEND = True
ACCOUNT_LOGIN_BY_CODE_FORMAT = {"numeric": True, "dashed": False, "length": 6}
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False  # a mail goes to an address of ours or not at all (A01)
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip",
    "login_failed": "10/m/ip,5/10m/key",
    "request_login_code": "20/m/ip,3/m/key,5/h/key",
    "try_login_code": "5/10m/key",
    "check_receipt": "30/m/ip",
    "change_email": "10/d/user",
    "start_identity": "20/h/user",
    "revert_email": "20/m/ip",
    "unsubscribe": "20/m/key",
    "unsubscribe_wrong": "10/m/ip",
}

# Sessions end after 30 idle minutes, and after 12 hours whatever happens; those of staff after 15
# and 8 (middleware.py, A10)

SESSION_ENGINE = "customers.sessions"
SESSION_COOKIE_AGE = 30 * 60
SESSION_SAVE_EVERY_REQUEST = False  # SessionEndMiddleware does, once a minute
SESSION_EXPIRE_AT_BROWSER_CLOSE = False
SESSION_ABSOLUTE_AGE = 12 * 60 * 60
STAFF_IDLE_AGE = 15 * 60
STAFF_ABSOLUTE_AGE = 8 * 60 * 60
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not EMBEDDED
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_SECURE = not EMBEDDED

# The browser is told to load nothing from elsewhere and to keep nothing

SECURE_SSL_REDIRECT = not EMBEDDED
SECURE_REDIRECT_EXEMPT = [r"^healthz"]
SECURE_HSTS_SECONDS = 0 if EMBEDDED else 365 * 24 * 60 * 60
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = not EMBEDDED
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
if switch("BEHIND_PROXY"):  # only where a proxy of ours always sets both headers
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    ALLAUTH_TRUSTED_PROXY_COUNT = 1  # the limits per address count people, not the proxy (A06)
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500
FILE_UPLOAD_HANDLERS: list[str] = []  # no form takes a file; one that is sent is not kept

# E-identification (BankID, Freja) through an OpenID broker, to show anew who one is before a
# download, an erasure or a change of e-mail; none is needed, the other ways are always there

IDENTITY_BROKERS = brokers("IDENTITY_BROKERS")

# Extracts: how long the file stays and how often it can be fetched (RUL-05)

EXTRACT_DAYS = number("EXTRACT_DAYS", 14)
EXTRACT_DOWNLOADS = number("EXTRACT_DOWNLOADS", 5)

# The ledger's seals, outside the database; best on storage its administrators cannot change

SEALS_DIR = Path(os.environ.get("SEALS_DIR", "").strip() or DATA_DIR / "seals").resolve()

# The log of erasures and the mark, outside the database and its backups: what a restore lacks

ERASURES_DIR = Path(os.environ.get("ERASURES_DIR", "").strip() or DATA_DIR / "erasures").resolve()

# Backups: how long they are kept, 35 days at most, and where to see whether that is so (ERA-05)

BACKUP_DAYS = number("BACKUP_DAYS", 35)
_backups = os.environ.get("BACKUPS_DIR", "").strip()
BACKUPS_DIR = Path(_backups).resolve() if _backups else None

# Mail: what the outbox hands over at last

if EMBEDDED and "EMAIL_URL" not in os.environ:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = HOUSE.mail
else:
    _email = environ.Env.email_url_config(
        text("EMAIL_URL", "the mail server, for example smtp+tls://user:password@host:587")
    )
    EMAIL_BACKEND = _email["EMAIL_BACKEND"]
    EMAIL_HOST = _email.get("EMAIL_HOST", "")
    EMAIL_PORT = _email.get("EMAIL_PORT") or 25
    EMAIL_HOST_USER = _email.get("EMAIL_HOST_USER") or ""
    EMAIL_HOST_PASSWORD = _email.get("EMAIL_HOST_PASSWORD") or ""
    EMAIL_USE_TLS = _email.get("EMAIL_USE_TLS", False)
    EMAIL_USE_SSL = _email.get("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = SERVER_EMAIL = text(
    "MAIL_FROM",
    "the sender of our mail, for example Dentalclean <kundservice@example.se>",
    "Dentalclean <kundservice@dentalclean.example>",
)
if "@" not in parseaddr(DEFAULT_FROM_EMAIL)[1]:
    raise ImproperlyConfigured("Write MAIL_FROM as a name followed by <an e-mail address>.")

# Language and time

LANGUAGE_CODE = "sv"
LANGUAGES = [("sv", "Svenska"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = "dentalclean.formats"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "Europe/Stockholm"

# Static files

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = DATA_DIR / "static" if EMBEDDED else BASE_DIR / "staticfiles"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"
        if EMBEDDED
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
MEDIA_ROOT = DATA_DIR / "files"
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o700

# API

REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
}

# Logs: ids and counts, to standard error

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "dentalclean.logs.WithoutValues",
            "format": "{asctime} {levelname} {name}: {message}",
            "style": "{",
        },
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": os.environ.get("LOG_LEVEL", "INFO").upper()},
    "loggers": {
        "django": {"handlers": ["stderr"], "level": "INFO", "propagate": False},
        "django.request": {"level": "ERROR"},
    },
}
