"""The web server's way in."""

import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dentalclean.settings")
os.environ.setdefault("STATEMENT_TIMEOUT_MS", "30000")

application = get_wsgi_application()
get_resolver().check()  # every page is loaded before the first person comes, once for all processes
