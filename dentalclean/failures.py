"""What people are told when the house itself fails."""

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template import loader
from django.views.defaults import server_error
from redis.exceptions import RedisError

# What PostgreSQL and Valkey say when they are away or too slow.
AWAY = (OperationalError, InterfaceError, RedisError)
TRY_AGAIN_AFTER = 60


def failed(request: HttpRequest) -> HttpResponse:
    """Say that we are closed for a while when a server of ours is away, else that we failed (B08).

    Django asks while it handles the exception.
    """
    if not isinstance(sys.exc_info()[1], AWAY):
        return server_error(request)
    return closed()


def closed() -> HttpResponse:
    """Say that we are closed for a while."""
    page = loader.get_template("503.html").render()
    return HttpResponse(page, status=503, headers={"Retry-After": str(TRY_AGAIN_AFTER)})
