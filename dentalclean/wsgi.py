"""The web server's way in."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dentalclean.settings")
os.environ.setdefault("STATEMENT_TIMEOUT_MS", "30000")

application = get_wsgi_application()
