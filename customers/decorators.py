"""Who may open a page of Min sida."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.contrib.auth.decorators import login_required
from django.core.exceptions import ObjectDoesNotExist
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render

from customers.models import Customer

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def customer_required(
    view: Callable[Concatenate[HttpRequest, Customer, P], HttpResponseBase],
) -> View[P]:
    """Hand the view the signed-in customer; nothing is reached by an id from the request (B01).

    A stranger is asked to sign in; an account without a customer is told what it is for. So is
    whoever a night has removed while they were acting: what they did is undone as a whole.
    """

    @login_required
    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        user: Any = request.user
        try:
            customer = user.customer
        except ObjectDoesNotExist:
            return render(request, "customers/no_customer.html", status=403)
        try:
            return view(request, customer, *args, **kwargs)
        except Customer.DoesNotExist:
            if Customer.objects.filter(pk=customer.pk).exists():
                raise
            return render(request, "customers/no_customer.html", status=410)

    return guarded


def act(back_to: str) -> Callable[[View[P]], View[P]]:
    """Let only a POST act; whoever comes by a link or after signing in anew is shown the page."""

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if request.method != "POST":
                return redirect(back_to)
            return view(request, *args, **kwargs)

        return guarded

    return decorate
