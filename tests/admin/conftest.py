"""The staff of the tests: Cecilia answers the phone, Disa protects data, Erik counts, Olle runs."""

import pytest
from django.test import Client

from customers.models import AccessLog, Customer, User
from dentalclean.roles import Role, give_role, sync_roles


def _signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def roles(db: None) -> None:
    sync_roles()


@pytest.fixture
def cecilia(roles: None) -> Client:
    return _signed_in(give_role("cecilia@dentalclean.example", Role.CUSTOMER_SERVICE))


@pytest.fixture
def disa(roles: None) -> Client:
    return _signed_in(give_role("disa@dentalclean.example", Role.DATA_PROTECTION))


@pytest.fixture
def erik(roles: None) -> Client:
    return _signed_in(give_role("erik@dentalclean.example", Role.FINANCE))


@pytest.fixture
def olle(roles: None) -> Client:
    return _signed_in(give_role("olle@dentalclean.example", Role.OPERATIONS))


@pytest.fixture
def superuser(db: None) -> Client:
    return _signed_in(User.objects.create_superuser("rot@dentalclean.example"))


class Desk:
    """Staff at work: opens pages about people the way the pages ask for."""

    @staticmethod
    def says_why(client: Client, customer: Customer, reason: str = "calls", words: str = "") -> str:
        answer = client.post(
            f"/personal/customers/customer/{customer.pk}/skal/",
            {"reason": reason, "words": words},
        )
        assert answer.status_code == 302
        return str(answer["Location"])

    @classmethod
    def opens(cls, client: Client, customer: Customer) -> str:
        cls.says_why(client, customer)
        answer = client.get(f"/personal/customers/customer/{customer.pk}/change/")
        assert answer.status_code == 200
        return answer.content.decode()

    @staticmethod
    def readings(customer: Customer) -> list[tuple[str, str, str]]:
        rows = AccessLog.objects.filter(customer=customer).order_by("pk")
        return list(rows.values_list("actor__email", "reason", "words"))


@pytest.fixture
def desk() -> type[Desk]:
    return Desk
