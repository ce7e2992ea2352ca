"""Our settings with django-gdpr-assist beside our apps, and the database that it logs to."""

from dentalclean.settings import *  # noqa: F403
from dentalclean.settings import DATABASES, INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "gdpr_assist"]
DATABASES = {**DATABASES, "gdpr_log": {**DATABASES["default"], "NAME": "gdpr_log"}}
DATABASE_ROUTERS = ["gdpr_assist.routers.EventLogRouter"]
