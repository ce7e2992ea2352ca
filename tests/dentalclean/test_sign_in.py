"""Signing in by an e-mailed code: the same answer to everyone, few tries, a clean way out."""

from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from customers.models import Session, User
from disclosures.models import Outbox
from tests import cast
from tests.doors import code_in_the_mail, signed_in, text

pytestmark = pytest.mark.django_db

SIGN_IN, CODE, SIGN_OUT = "/konto/logga-in/", "/konto/logga-in/kod/", "/konto/logga-ut/"


def ask(client: Client, email: str, path: str = SIGN_IN) -> Any:
    return client.post(path, {"email": email})


def test_a_stranger_is_led_to_the_sign_in_and_back_again(client: Client) -> None:
    anna = cast.person()
    answer = client.get("/mina-uppgifter/")
    assert answer["Location"] == f"{SIGN_IN}?next=/mina-uppgifter/"
    ask(client, "anna@example.se", answer["Location"])
    code = code_in_the_mail("anna@example.se")
    landed = client.post(f"{CODE}?next=/mina-uppgifter/", {"code": code})
    assert landed["Location"] == "/mina-uppgifter/"
    assert anna.name in text(client.get("/mina-uppgifter/"))


def test_the_code_may_have_spaces_and_dashes(client: Client) -> None:
    cast.person()
    ask(client, " Anna@Example.se ")
    code = code_in_the_mail("anna@example.se")
    assert client.post(CODE, {"code": f" {code[:3]} {code[3:]} "})["Location"] == "/"


def test_known_and_unknown_addresses_get_the_same_answer() -> None:
    cast.person()
    answers = []
    for email in ("anna@example.se", "ingen@example.se"):
        client = Client()
        asked = ask(client, email)
        page = client.get(CODE)
        wrong = client.post(CODE, {"code": "000000"})
        answers.append(
            (
                asked.status_code,
                asked["Location"],
                sorted(asked.headers),
                text(page).replace(email, "X"),
                wrong.status_code,
                text(wrong).replace(email, "X"),
            )
        )
    assert answers[0] == answers[1]


def test_only_an_address_of_ours_gets_a_mail(client: Client) -> None:
    cast.person()
    ask(client, "ingen@example.se")
    assert not Outbox.objects.exists()
    ask(client, "anna@example.se")
    assert list(Outbox.objects.values_list("recipient", flat=True)) == ["anna@example.se"]


def test_an_unknown_address_with_a_right_looking_code_gets_nowhere(client: Client) -> None:
    ask(client, "ingen@example.se")
    for code in ("", "0", "None", "000000"):
        assert client.post(CODE, {"code": code}).status_code == 200
    assert client.get("/").status_code == 302


def test_the_fifth_wrong_code_ends_it(client: Client) -> None:
    cast.person()
    ask(client, "anna@example.se")
    code = code_in_the_mail("anna@example.se")
    wrong = "111111" if code != "111111" else "222222"
    for _ in range(4):
        assert "Koden stämmer inte" in text(client.post(CODE, {"code": wrong}))
    assert client.post(CODE, {"code": wrong})["Location"] == SIGN_IN
    client.post(CODE, {"code": code})
    assert client.get("/").status_code == 302


def test_tries_at_once_are_all_counted(client: Client) -> None:
    cast.person()
    ask(client, "anna@example.se")
    code = code_in_the_mail("anna@example.se")
    seen_before = Session.objects.get().session_data
    for _ in range(5):
        client.post(CODE, {"code": "111111" if code != "111111" else "222222"})
        Session.objects.update(session_data=seen_before)
    assert client.post(CODE, {"code": code}).status_code == 429
    assert client.get("/").status_code == 302


def test_a_code_works_once_and_only_where_it_was_asked_for(client: Client) -> None:
    cast.person()
    ask(client, "anna@example.se")
    code = code_in_the_mail("anna@example.se")
    elsewhere = Client()
    assert elsewhere.post(CODE, {"code": code})["Location"] == SIGN_IN
    assert client.post(CODE, {"code": code})["Location"] == "/"
    client.post(SIGN_OUT)
    assert client.post(CODE, {"code": code})["Location"] == SIGN_IN


def test_asking_again_and_again_is_stopped(client: Client) -> None:
    cast.person()
    answers = [ask(client, "anna@example.se") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [302, 302, 302, 429]
    assert "Du har försökt många gånger." in text(answers[-1])
    assert ask(Client(), "ingen@example.se").status_code == 302


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "Skriv en e-postadress med @"),
        ("anna", "Skriv en e-postadress med @"),
        ("a%00nna@example.se", "tecken som inte går att läsa"),
        ("an%ED%A0%80na@example.se", "Skriv en e-postadress med @"),
        ("a" * 500_000, "Skriv högst 254 tecken"),
    ],
)
def test_what_is_no_address_is_told_so(client: Client, typed: str, said: str) -> None:
    form = "application/x-www-form-urlencoded"
    answer = client.post(SIGN_IN, f"email={typed}", content_type=form)
    assert answer.status_code == 200
    assert said in text(answer)


def test_a_new_code_replaces_the_old_one(client: Client) -> None:
    cast.person()
    ask(client, "anna@example.se")
    old = code_in_the_mail("anna@example.se")
    client.post(CODE, {"action": "resend"})
    new = code_in_the_mail("anna@example.se")
    assert Outbox.objects.count() == 2
    if old != new:
        assert client.post(CODE, {"code": old}).status_code == 200
    assert client.post(CODE, {"code": new})["Location"] == "/"


def test_another_address_can_be_written_while_a_code_is_awaited(client: Client) -> None:
    cast.person()
    ask(client, "fel@example.se")
    assert "Logga in på Min sida" in text(client.get(SIGN_IN))
    ask(client, "anna@example.se")
    code = code_in_the_mail("anna@example.se")
    assert client.post(CODE, {"code": code})["Location"] == "/"


def test_the_session_is_a_new_one_after_sign_in(client: Client) -> None:
    cast.person()
    ask(client, "anna@example.se")
    before = client.cookies["sessionid"].value
    client.post(CODE, {"code": code_in_the_mail("anna@example.se")})
    assert client.cookies["sessionid"].value != before
    assert not Session.objects.filter(session_key=before).exists()


def test_signing_out_is_a_post_and_leaves_nothing_behind() -> None:
    client = signed_in(cast.person())
    assert "Vill du logga ut?" in text(client.get(SIGN_OUT))
    assert client.get("/").status_code == 200
    answer = client.post(SIGN_OUT)
    assert answer["Clear-Site-Data"] == '"cache"'
    assert not Session.objects.filter(user__isnull=False).exists()
    assert client.get("/").status_code == 302


@pytest.mark.parametrize("elsewhere", ["https://evil.example", "//evil.example", "/\\evil.example"])
def test_the_way_back_is_never_elsewhere(client: Client, elsewhere: str) -> None:
    cast.person()
    ask(client, "anna@example.se", f"{SIGN_IN}?next={elsewhere}")
    code = code_in_the_mail("anna@example.se")
    assert client.post(f"{CODE}?next={elsewhere}", {"code": code})["Location"] == "/"


def test_staff_sign_in_by_the_same_code_and_land_on_their_pages(client: Client) -> None:
    User.objects.create_user("cecilia@dentalclean.example", is_staff=True)
    answer = client.get("/personal/")
    assert answer["Location"] == "/personal/login/?next=/personal/"
    answer = client.get(answer["Location"])
    assert answer["Location"].startswith(SIGN_IN)
    ask(client, "cecilia@dentalclean.example", answer["Location"])
    code = code_in_the_mail("cecilia@dentalclean.example")
    assert client.post(f"{CODE}?next=/personal/", {"code": code})["Location"] == "/personal/"
    assert client.get("/personal/").status_code == 200
    assert client.get("/")["Location"] == "/personal/"
    assert "inloggad som personal" in text(client.get("/mina-uppgifter/"))


def test_a_closed_account_gets_no_code(client: Client) -> None:
    anna = cast.person()
    User.objects.filter(pk=anna.user_id).update(is_active=False)
    assert ask(client, "anna@example.se")["Location"].startswith(CODE)
    assert not Outbox.objects.exists()


def test_without_the_counter_of_tries_nobody_gets_a_code(client: Client, settings: Any) -> None:
    anna = cast.person()
    settings.CACHES = {
        "default": {**settings.CACHES["default"], "LOCATION": "unix:///nowhere/valkey.sock"}
    }
    answer = ask(client, "anna@example.se")
    assert answer.status_code == 503
    assert "Det går inte att logga in just nu." in text(answer)
    assert not Outbox.objects.exists()
    assert signed_in(anna).get("/").status_code == 200


def test_nobody_makes_an_account(client: Client) -> None:
    answer = client.get("/konto/skaffa/")
    assert "Du behöver inget eget konto." in text(answer)
    assert client.post("/konto/skaffa/", {"email": "ny@example.se"}).status_code == 405
    assert not User.objects.exists()


@pytest.mark.parametrize(
    "cookie", ['"\\000\\000\\000\\000\\000\\000\\000\\000"', "x" * 4000, "åäö"]
)
def test_an_odd_cookie_is_a_stranger(client: Client, cookie: str) -> None:
    answer = client.get("/", headers={"cookie": f"sessionid={cookie}; theme={cookie}"})
    assert answer.status_code == 302


def test_a_session_ends_after_twelve_hours_however_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    client = signed_in(cast.person())
    session = client.session
    session["signed_in_at"] -= settings.SESSION_ABSOLUTE_AGE + 1
    session.save()
    assert client.get("/").status_code == 302


def test_a_busy_session_is_written_once_a_minute(django_assert_num_queries: Any) -> None:
    client = signed_in(cast.person())
    with django_assert_num_queries(3):
        client.get("/mer/")
    session = client.session
    session["seen_at"] -= 61
    session.save()
    before = Session.objects.get(user__isnull=False).expire_date
    client.get("/mer/")
    assert Session.objects.get(user__isnull=False).expire_date > before
