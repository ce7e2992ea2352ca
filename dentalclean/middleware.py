"""What every answer to a signed-in person has in common."""

import logging
import time
from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.utils.cache import add_never_cache_headers

from dentalclean.failures import closed
from retention.restore import RestoredError, demand_open

log = logging.getLogger(__name__)

Answer = Callable[[HttpRequest], HttpResponse]

SIGNED_IN_AT, SEEN_AT = "signed_in_at", "seen_at"
A_MINUTE = 60


class RestoreGateMiddleware:
    """Let nobody in while the database lacks what was erased and refused (L02).

    Only whether the process lives is answered; the deep look tells that the gate is shut.
    """

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer 503 until `manage.py restore_gate` has run."""
        if not request.path.startswith("/healthz"):
            try:
                demand_open()
            except RestoredError as why:
                log.critical("%s", why)
                return closed()
        return self.get_response(request)


class SessionEndMiddleware:
    """End a session some hours after sign-in, however busy it has been, and keep a busy one alive.

    The idle time is counted from the last minute with a request, so that not every page writes.
    """

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Sign the person out when the time is up."""
        if request.user.is_authenticated:
            is_staff = request.user.is_staff
            longest = settings.STAFF_ABSOLUTE_AGE if is_staff else settings.SESSION_ABSOLUTE_AGE
            began = request.session.setdefault(SIGNED_IN_AT, int(time.time()))
            if time.time() - began > longest:
                logout(request)
            elif time.time() - request.session.get(SEEN_AT, 0) > A_MINUTE:
                request.session[SEEN_AT] = int(time.time())
                if is_staff:
                    request.session.set_expiry(settings.STAFF_IDLE_AGE)
        return self.get_response(request)


class NoStoreMiddleware:
    """Let no browser or proxy keep a page that a signed-in person saw."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Mark the answer when the person is signed in, before or after it was made."""
        before = request.user.is_authenticated
        response = self.get_response(request)
        if before or request.user.is_authenticated:
            add_never_cache_headers(response)
        return response
