"""Every address of the house, for a stranger, Anna, Björn, Cecilia and Disa.

Anna owns whatever an address names; Björn is another customer, Cecilia works in customer service
and Disa is the data protection officer. An address without a row here fails.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from django.apps import apps
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from consent.actions import say_no, say_yes
from consent.facts import ask
from consent.models import Event
from consent.purposes import Use
from consent.receipt_keys import number_of
from consent.unsubscribe import Link
from customers.dates import today
from customers.models import Customer, User
from dentalclean.roles import Role, give_role, sync_roles
from disclosures.models import Outbox
from disclosures.recipient_notices import notify
from marketing.models import Campaign
from privacy_requests.actions import open_case
from privacy_requests.models import Extract
from retention.actions import open_run
from retention.models import Forecast, Hold, SetAside
from tests import cast, recipients
from tests.doors import signed_in

pytestmark = pytest.mark.django_db

WHO = ("stranger", "anna", "björn", "cecilia", "disa")

# What a GET answers; 302 leads a stranger to the sign-in and an act to the page it belongs to.
GET = """
route                                                   stranger anna björn cecilia disa
/                                                       302 200 200 302 302
mina-uppgifter/                                         302 200 200 403 403
mina-uppgifter/andra/<slug:field>/                      302 200 200 403 403
mina-uppgifter/andra/<slug:field>/angra/                302 302 302 302 302
mina-uppgifter/andra/e-post/                            302 302 302 403 403
mina-uppgifter/andra/e-post/kod/                        302 302 302 403 403
e-post/tillbaka/                                        404 404 404 404 404
e-post/tillbaka/<str:token>/                            302 302 302 302 302
visa-att-det-ar-du/                                     302 200 200 403 403
visa-att-det-ar-du/brev/                                302 302 302 302 302
visa-att-det-ar-du/e-leg/<slug:broker>/                 302 302 302 302 302
visa-att-det-ar-du/e-leg/<slug:broker>/svar/            302 404 404 403 403
mina-val/                                               302 200 200 403 403
mina-val/stoppa/                                        302 302 302 302 302
mina-val/kvitto/<uuid:number>/                          302 200 404 403 403
mina-val/kvitto/<uuid:number>/fil/                      302 200 404 403 403
mina-val/foretag/<slug:channel>/<path:company>/         302 302 302 302 302
mina-val/<slug:purpose>/<slug:channel>/                 302 302 302 302 302
mina-val/<slug:purpose>/<slug:channel>/ja/              302 200 302 403 403
sluta/                                                  200 200 200 200 200
sluta/<str:token>/                                      200 200 200 200 200
kontrollera-kvitto/                                     200 200 200 200 200
kontrollera-kvitto/<slug:code>/                         200 200 200 200 200
scheman/utdrag.json                                     200 200 200 200 200
scheman/ta-med.json                                     200 200 200 200 200
kontrollera-kvitto/nycklar.json                         200 200 200 200 200
vem-har-fatt-dem/                                       302 200 200 403 403
hur-lange/                                              302 200 200 403 403
mina-arenden/                                           302 200 200 403 403
mina-arenden/ny/                                        302 200 200 403 403
mina-arenden/<uuid:public_id>/                          302 200 404 403 403
mina-arenden/<uuid:public_id>/mer/                      302 302 404 403 403
mina-arenden/<uuid:public_id>/identitet/                302 302 302 403 403
mina-arenden/<uuid:public_id>/ta-tillbaka/              302 302 302 302 302
mina-arenden/saga-nej/                                  302 200 200 403 403
mina-arenden/begransa/                                  302 200 200 403 403
mina-arenden/begransa/hav/                              302 302 302 302 302
mina-arenden/ratta/                                     302 200 200 403 403
mina-arenden/ratta/tillagg/                             302 200 200 403 403
mina-arenden/ratta/tillagg/<uuid:public_id>/ta-bort/    302 302 302 302 302
ta-med/                                                 302 200 200 403 403
radera/                                                 302 200 200 403 403
radera/bekrafta/                                        302 302 302 403 403
radera/angra/                                           302 302 302 302 302
ta-ut-allt/                                             302 200 200 403 403
ta-ut-allt/<uuid:extract_id>/                           302 302 404 403 403
mer/                                                    302 200 200 403 403
mer/utseende/                                           405 405 405 405 405
sprak/                                                  302 302 302 302 302
konto/logga-in/                                         200 302 302 302 302
konto/logga-in/kod/                                     302 302 302 302 302
konto/logga-ut/                                         302 200 200 200 200
konto/stangt/                                           200 200 200 200 200
konto/skaffa/                                           200 200 200 200 200
utveckling/brevlada/                                    200 200 200 200 200
utveckling/brevlada/<slug:key>/                         404 404 404 404 404
healthz                                                 200 200 200 200 200
healthz/deep                                            200 200 200 200 200
personal/                                               302 302 302 200 200
personal/login/                                         302 403 403 302 302
personal/logout/                                        302 302 302 405 405
personal/password_change/                               302 302 302 404 404
personal/password_change/done/                          302 302 302 404 404
personal/autocomplete/                                  302 302 302 404 404
personal/jsi18n/                                        302 302 302 200 200
personal/r/<path:content_type_id>/<path:object_id>/     302 302 302 404 404
personal/customers/customer/<int:pk>/skal/              302 302 302 200 200
personal/customers/customer/<path:object_id>/uppgifter/ 302 302 302 302 302
personal/customers/customer/<path:object_id>/kom-tillbaka/ 302 302 302 302 302
personal/customers/customer/<path:object_id>/skuld/ 302 302 302 403 403
personal/customers/customer/<path:object_id>/sagt/ 302 302 302 302 302
personal/customers/customer/<path:object_id>/begaran/ 302 302 302 302 302
personal/customers/customer/<path:object_id>/fodelsedag/ 302 302 302 302 302
personal/customers/customer/<path:object_id>/personnummer/ 302 302 302 403 403
personal/customers/customer/<path:object_id>/bestallning/ 302 302 302 302 302
personal/customers/customer/<path:object_id>/kreditera/ 302 302 302 403 403
personal/customers/customer/<path:object_id>/tillagg/ 302 302 302 302 302
personal/customers/customer/<path:object_id>/begransning/ 302 302 302 403 403
personal/privacy_requests/case/okand/                   302 302 302 200 200
personal/privacy_requests/case/<int:pk>/gor/<slug:act>/ 302 302 302 404 404
personal/customers/customer/<path:object_id>/legitimation/ 302 302 302 302 302
personal/marketing/campaign/malgrupp/                   302 302 302 200 200
personal/marketing/campaign/<uuid:pk>/godkann/          302 302 302 302 403
personal/marketing/campaign/<uuid:pk>/skicka/           302 302 302 302 403
personal/marketing/campaign/<uuid:pk>/stoppa/           302 302 302 302 302
personal/retention/run/stang-av/                        302 302 302 403 200
personal/retention/run/sla-pa/                          302 302 302 403 302
personal/retention/run/klockan/                         302 302 302 403 302
personal/disclosures/recipientnotice/<uuid:pk>/avsluta/ 302 302 302 403 404
personal/retention/hold/<int:pk>/omprova/               302 302 302 403 404
personal/retention/run/<int:pk>/slapp/                  302 302 302 403 404
personal/retention/run/<int:pk>/intyg.json              302 302 302 403 404
personal/<app>/                                         302 302 302 200 200
personal/<anything>                                     302 302 302 404 404
"""

# What a POST answers where one acts, and that no other page takes one.
POST = """
route                                                   stranger anna björn cecilia disa
mina-uppgifter/andra/<slug:field>/                      302 200 200 403 403
mina-uppgifter/andra/<slug:field>/angra/                302 302 302 403 403
mina-uppgifter/andra/e-post/                            302 302 302 403 403
mina-uppgifter/andra/e-post/kod/                        302 302 302 403 403
e-post/tillbaka/                                        404 404 404 404 404
e-post/tillbaka/<str:token>/                            405 405 405 405 405
visa-att-det-ar-du/                                     302 422 422 403 403
visa-att-det-ar-du/brev/                                302 302 302 403 403
visa-att-det-ar-du/e-leg/<slug:broker>/                 302 404 404 403 403
visa-att-det-ar-du/e-leg/<slug:broker>/svar/            405 405 405 405 405
mina-val/stoppa/                                        302 302 302 403 403
mina-val/foretag/<slug:channel>/<path:company>/         302 302 404 403 403
mina-val/<slug:purpose>/<slug:channel>/                 302 302 302 403 403
sluta/                                                  422 422 422 422 422
sluta/<str:token>/                                      400 400 400 400 400
mina-arenden/ny/                                        302 422 422 403 403
mina-arenden/<uuid:public_id>/                          405 405 405 405 405
mina-arenden/<uuid:public_id>/mer/                      302 422 404 403 403
mina-arenden/<uuid:public_id>/identitet/                302 302 302 403 403
mina-arenden/<uuid:public_id>/ta-tillbaka/              302 302 404 403 403
mina-arenden/saga-nej/                                  302 422 422 403 403
mina-arenden/begransa/                                  302 302 302 403 403
mina-arenden/begransa/hav/                              302 302 302 403 403
mina-arenden/ratta/                                     302 422 422 403 403
mina-arenden/ratta/tillagg/                             302 422 422 403 403
mina-arenden/ratta/tillagg/<uuid:public_id>/ta-bort/    302 302 302 403 403
ta-med/                                                 302 302 302 403 403
radera/                                                 405 405 405 405 405
radera/bekrafta/                                        302 302 302 403 403
radera/angra/                                           302 302 302 403 403
ta-ut-allt/                                             302 302 302 403 403
ta-ut-allt/<uuid:extract_id>/                           302 302 404 403 403
kontrollera-kvitto/                                     400 400 400 400 400
kontrollera-kvitto/<slug:code>/                         400 400 400 400 400
mer/utseende/                                           302 302 302 302 302
sprak/                                                  302 302 302 302 302
konto/logga-in/                                         200 302 302 302 302
konto/logga-in/kod/                                     302 302 302 302 302
konto/logga-ut/                                         302 302 302 302 302
/                                                       405 405 405 405 405
mina-uppgifter/                                         405 405 405 405 405
mina-val/                                               405 405 405 405 405
mina-val/kvitto/<uuid:number>/                          405 405 405 405 405
mina-val/kvitto/<uuid:number>/fil/                      405 405 405 405 405
scheman/utdrag.json                                     405 405 405 405 405
scheman/ta-med.json                                     405 405 405 405 405
kontrollera-kvitto/nycklar.json                         405 405 405 405 405
mina-val/<slug:purpose>/<slug:channel>/ja/              405 405 405 405 405
vem-har-fatt-dem/                                       405 405 405 405 405
hur-lange/                                              405 405 405 405 405
mina-arenden/                                           405 405 405 405 405
mer/                                                    405 405 405 405 405
konto/stangt/                                           405 405 405 405 405
konto/skaffa/                                           405 405 405 405 405
utveckling/brevlada/                                    405 405 405 405 405
utveckling/brevlada/<slug:key>/                         405 405 405 405 405
healthz                                                 405 405 405 405 405
healthz/deep                                            405 405 405 405 405
"""

# The pages of a model in the admin: list, add, history, delete, change, short form, of Anna's row
# (302: to the question why, or to the sign-in). A stranger, Anna and Björn only get the sign-in.
STAFF_PAGES = ("", "add/", "{id}/history/", "{id}/delete/", "{id}/change/", "{id}/")
STAFF = """
model                       cecilia                   disa
consent/balancingrecord     403 403 403 403 403 302   200 200 200 403 200 302
consent/event               200 403 302 403 302 302   200 403 302 403 302 302
consent/nixsnapshot         403 403 403 403 403 302   200 403 200 403 200 302
consent/notice              200 403 200 403 200 302   200 403 200 403 200 302
consent/policyversion       200 403 200 403 200 302   200 403 200 403 200 302
consent/standing            200 403 302 403 302 302   200 403 302 403 302 302
customers/accesslog         403 403 302 403 403 302   200 403 302 403 302 302
customers/customer          200 403 302 403 302 302   200 403 302 403 302 302
customers/fiscalyear        403 403 403 403 403 302   200 403 200 403 200 302
customers/invoice           200 403 302 403 302 302   200 403 302 403 302 302
customers/product           200 403 200 403 200 302   200 403 200 403 200 302
customers/supportcase       200 403 302 403 302 302   200 403 302 403 302 302
customers/suppression       403 403 403 403 403 302   200 403 200 403 200 302
disclosures/adequacy        403 403 403 403 403 302   200 200 200 403 200 302
disclosures/agreement       403 403 403 403 403 302   200 200 200 403 200 302
disclosures/disclosure      200 403 302 403 302 302   200 403 302 403 302 302
disclosures/outbox          200 403 302 403 302 302   200 403 302 403 302 302
disclosures/recipient       200 403 200 403 200 302   200 200 200 403 200 302
disclosures/recipientnotice 200 403 302 403 302 302   200 403 302 403 302 302
marketing/campaign          200 200 200 403 200 302   200 403 200 403 200 302
privacy_requests/case       200 403 302 403 302 302   200 403 302 403 302 302
privacy_requests/extract    200 403 302 403 302 302   200 403 302 403 302 302
retention/forecast          403 403 403 403 403 302   200 403 200 403 200 302
retention/hold              200 403 302 403 302 302   200 200 302 403 302 302
retention/receipt           403 403 302 403 403 302   200 403 302 403 302 302
retention/run               403 403 403 403 403 302   200 403 200 403 200 302
retention/setaside          403 403 403 403 403 302   200 403 302 403 302 302
"""
ADMIN_ROUTE = re.compile(
    r"personal/([a-z_]+/[a-z]+)/(add/|<path:object_id>/((history|delete|change)/)?)?$"
)


def rows(table: str) -> Iterator[list[str]]:
    for line in table.strip().splitlines()[1:]:
        yield line.split()


def routes(patterns: Iterable[Any], prefix: str = "") -> Iterator[str]:
    for pattern in patterns:
        here = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, here)
        elif isinstance(pattern, URLPattern):
            yield here


@pytest.fixture
def anna(db: None) -> Customer:
    # Her number is nothing else's, or an address of staff could name a row that is there.
    customer = cast.person(pk=9_000_001)
    cast.subscription(customer, today())
    cast.invoice(customer, today())
    ask(customer, "Var är paketet?")
    say_yes(customer, Use("P", "post", "Tandvännen AB"), evidence="Talong 7", collected="slip")
    say_no(customer)
    open_case(customer)
    Hold.objects.create(customer=customer, ground=Hold.Ground.CASE)
    printer = recipients.signed()
    recipients.printed(customer, printer)
    notify(customer, "restricted")
    Outbox.objects.filter(customer=None).delete()  # the page below is about a person
    Forecast.objects.create(made_on=today(), span="night", day=today(), people=0)
    SetAside.objects.create(
        customer=customer, attempts=1, since=today(), tried_on=today(), cause="RaiseException"
    )
    writer = User.objects.create_user("skriver@dentalclean.example", is_staff=True)
    Campaign.objects.create(name="Nytt", purpose="H", channel="email", drafted_by=writer)
    return customer


@pytest.fixture
def people(anna: Customer) -> dict[str, Client]:
    sync_roles()
    clients = {"stranger": Client(), "anna": signed_in(anna)}
    clients["björn"] = signed_in(cast.person("Björn"))
    for name, role in (("cecilia", Role.CUSTOMER_SERVICE), ("disa", Role.DATA_PROTECTION)):
        clients[name] = Client()
        clients[name].force_login(give_role(f"{name}@dentalclean.example", role))
    return clients


ROOMS = "consent|customers|privacy_requests|retention|marketing|disclosures"
SHORT = {
    f"^(?P<app_label>{ROOMS})/$": "<app>/",
    "(?P<url>.*)$": "<anything>",
}
NAMED = {
    "<slug:field>": "namn",
    "<slug:purpose>": "H",
    "<slug:channel>": "post",
    "<slug:key>": "finns-inte",
    "<slug:act>": "finns-inte",
    "<slug:broker>": "finns-inte",
    "<uuid:pk>": "00000000-0000-4000-8000-000000000000",
    "<slug:code>": "0" * 40,
    "<path:company>": "Tandvännen AB",
    "<path:content_type_id>": "1",
    "<app>": "customers",
    "<anything>": "finns-inte/",
}


def address(route: str, anna: Customer) -> str:
    """Fill a route with what is Anna's."""
    extract = Extract.objects.filter(case__customer=anna).earliest("case_id")
    token = Link(anna.public_id, "email").token()
    hers = {
        "<str:token>": token,
        "<uuid:extract_id>": extract.pk,
        "<uuid:public_id>": extract.case.public_id,
        "<uuid:number>": number_of(Event.objects.filter(customer=anna).earliest("pk").pk),
        "<int:pk>": anna.pk,
        "<path:object_id>": anna.pk,
    }
    for name, value in {**NAMED, **hers}.items():
        route = route.replace(name, str(value))
    return f"/{route.removeprefix('/')}"


def test_every_address_has_a_row() -> None:
    models = {row[0] for row in rows(STAFF)}
    one_by_one = set()
    for route in routes(get_resolver().url_patterns):
        found = ADMIN_ROUTE.fullmatch(route)
        if not found or found[1] not in models:
            for pattern, short in SHORT.items():
                route = route.replace(pattern, short)
            one_by_one.add(route or "/")
    assert {row[0] for row in rows(GET)} == one_by_one
    acts = {row[0] for row in rows(POST)}
    assert {route for route in one_by_one if not route.startswith("personal/")} == acts


@pytest.mark.parametrize(("method", "table"), [("get", GET), ("post", POST)])
@pytest.mark.parametrize("who", WHO)
@pytest.mark.usefixtures("as_app")
def test_an_address_answers_as_the_table_says(
    method: str, table: str, who: str, people: dict[str, Client], anna: Customer
) -> None:
    said, found = {}, {}
    # What is taken back is gone, and signing out ends the visit.
    last = {"mina-arenden/<uuid:public_id>/ta-tillbaka/", "konto/logga-ut/"}
    for row in sorted(rows(table), key=lambda row: row[0] in last):
        visit = getattr(people[who], method)
        found[row[0]] = str(visit(address(row[0], anna), {"answer": "no"}).status_code)
        said[row[0]] = row[WHO.index(who) + 1]
    assert found == said


@pytest.mark.parametrize("who", WHO)
def test_the_pages_of_staff_answer_as_the_table_says(
    who: str, people: dict[str, Client], anna: Customer
) -> None:
    open_run(today())
    said, found = {}, {}
    for model, *statuses in rows(STAFF):
        row = apps.get_model(model.replace("/", ".")).objects.first()
        half = len(STAFF_PAGES) * (who == "disa")
        own = statuses[half : half + len(STAFF_PAGES)]
        said[model] = own if who in ("cecilia", "disa") else ["302"] * len(STAFF_PAGES)
        pages = [page.format(id=row.pk if row else 0) for page in STAFF_PAGES]
        found[model] = [
            str(people[who].get(f"/personal/{model}/{page}").status_code) for page in pages
        ]
    assert found == said
