"""How allauth meets the rest of the house: its mails go through the outbox, nobody signs up."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest
from django.template import TemplateDoesNotExist

from customers.models import Customer
from disclosures.actions import queue_mail, queue_words


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """The account adapter of Dentalclean."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Customers are registered by what they order; an account is not asked for."""
        return False

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Write the mail to the outbox, with our own words where we have them."""
        template = template_prefix.rpartition("/")[2]
        customer = Customer.objects.filter(user__email=email.casefold()).first()
        try:
            queue_mail(email, template, context, customer=customer)
        except TemplateDoesNotExist:
            mail = self.render_mail(template_prefix, email, context)
            queue_words(email, template, str(mail.subject), str(mail.body), customer=customer)
