"""Signing in by an e-mailed code, for customers and staff alike."""

import time
from typing import Any

from allauth.account.internal.userkit import filter_users_by_email
from allauth.account.views import ConfirmLoginCodeView, LogoutView, RequestLoginCodeView
from allauth.core import ratelimit
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe
from redis.exceptions import RedisError

from dentalclean.forms import CodeForm, SignInForm

# An answer takes at least this long, so that its time tells nothing of the address (A01).
SHORTEST_ANSWER = 0.15


class SignInView(RequestLoginCodeView):  # type: ignore[misc]
    """Ask for the address and send a code to it, if it is one of ours."""

    form_class = SignInForm
    template_name = "account/sign_in.html"

    def _redirect_to_pending_stage(self, request: HttpRequest, stage: Any) -> None:
        """Let a person who waits for a code write another address."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Answer in the same time whether or not we know the address."""
        began = time.monotonic()
        try:
            response: HttpResponse = super().post(request, *args, **kwargs)
        except RedisError:
            # Without the counter of tries nobody gets a code (A05).
            response = render(request, "account/unavailable.html", status=503)
        time.sleep(max(0.0, SHORTEST_ANSWER - (time.monotonic() - began)))
        return response


class CodeView(ConfirmLoginCodeView):  # type: ignore[misc]
    """Ask for the code."""

    form_class = CodeForm
    template_name = "account/confirm_login_code.html"

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Count each try where requests at once cannot miss each other's (A04)."""
        one_code = f"{request.session.session_key}:{self._process.state['at']}"
        if self._action == "verify" and not ratelimit.consume(
            request, action="try_login_code", key=one_code
        ):
            self._process.abort()
            return too_many(request)
        response: HttpResponse = super().post(request, *args, **kwargs)
        return response

    def form_valid(self, form: Any) -> HttpResponse:
        """Take the code only while its address is still the account's own (K09)."""
        process = self._process
        owners = filter_users_by_email(process.state["email"], is_active=True, for_login=True)
        if process.user not in owners:
            process.abort()
            return redirect("account_login")
        response: HttpResponse = super().form_valid(form)
        return response


class SignOutView(LogoutView):  # type: ignore[misc]
    """Sign out; nothing of what was shown stays in the browser (B03)."""

    def post(self, *args: Any, **kwargs: Any) -> HttpResponse:
        """End the session on the server and clear the browser's cache."""
        response: HttpResponse = super().post(*args, **kwargs)
        response["Clear-Site-Data"] = '"cache"'
        return response


@require_safe
def no_sign_up(request: HttpRequest) -> HttpResponse:
    """Say that no account of one's own is needed."""
    return render(request, "account/signup_closed.html")


def too_many(request: HttpRequest) -> HttpResponse:
    """Say that there were too many tries."""
    return render(request, "429.html", status=429)
