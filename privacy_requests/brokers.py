"""E-identification (BankID, Freja) by an OpenID broker: to show who one is, never to log in.

Authorization code with PKCE, state and nonce; the person must identify themselves now and not have
done so earlier. Whatever the broker's address said of levels, what counts is the signed token: its
issuer, audience, time, nonce, level and the identity number in it, which is compared by its keyed
hash with that of the person signed in and then forgotten (PNR-02).
"""

import base64
import hashlib
import hmac
import json
import logging
import secrets
import time
from dataclasses import dataclass
from typing import Any, NoReturn
from urllib.parse import quote_plus, urlencode, urlsplit

import jwt
import urllib3
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from customers import crypto
from customers.models import Customer
from customers.rules import clean_national_id

log = logging.getLogger(__name__)

KEY = "identity_broker"
# How long somebody may take at the broker, and by how much two clocks may differ, in seconds.
ON_THE_WAY, SKEW = 10 * 60, 60
ALGORITHMS = ["RS256", "PS256", "ES256"]
LARGEST_ANSWER = 256 * 1024
_timeout = urllib3.Timeout(connect=3, read=5)
_http = urllib3.PoolManager(timeout=_timeout, retries=False, maxsize=4)


class NotThemError(Exception):
    """The broker's answer does not show that it is the person; what was wrong is in the log."""


class StaleAnswerError(Exception):
    """The answer belongs to no question of this session, or was used before."""


class CancelledError(Exception):
    """The person broke off at the broker."""


class BrokerDownError(Exception):
    """The broker does not answer, or not as it should."""


@dataclass(frozen=True)
class Broker:
    """One agreement with a broker; see docs/running.md for the settings."""

    slug: str
    name: str
    server_url: str
    client_id: str
    client_secret: str
    # The levels that are good enough; at least one is asked for, and exactly one comes back.
    acr_values: tuple[str, ...]
    # Which claim of the ID token carries the national identity number, and what to ask for it.
    claim: str
    scope: str


def offered() -> dict[str, Broker]:
    """Return the brokers of this installation by slug."""
    return {slug: Broker(**about) for slug, about in settings.IDENTITY_BROKERS.items()}


def can_show(customer: Customer) -> bool:
    """Say whether we know the number of a person, without which no answer is theirs."""
    return customer.national_id_hash is not None


def begin(request: HttpRequest, broker: Broker, callback: str) -> str:
    """Return the address at the broker to go to; raises BrokerDownError."""
    known = _metadata(broker)
    verifier = secrets.token_urlsafe(48)
    asked = {
        "broker": broker.slug,
        "state": secrets.token_urlsafe(32),
        "nonce": secrets.token_urlsafe(32),
        "verifier": verifier,
        "at": int(time.time()),
    }
    request.session[KEY] = asked
    challenge = hashlib.sha256(verifier.encode()).digest()
    query = urlencode(
        {
            "response_type": "code",
            "client_id": broker.client_id,
            "redirect_uri": callback,
            "scope": broker.scope,
            "state": asked["state"],
            "nonce": asked["nonce"],
            "code_challenge": base64.urlsafe_b64encode(challenge).decode().rstrip("="),
            "code_challenge_method": "S256",
            "acr_values": " ".join(broker.acr_values),
            "prompt": "login",
            "max_age": "0",
        }
    )
    address = _endpoint(broker, known, "authorization_endpoint")
    return f"{address}{'&' if urlsplit(address).query else '?'}{query}"


def finish(request: HttpRequest, broker: Broker, callback: str, customer: Customer) -> str:
    """Return the level at which the person signed in has shown who they are.

    Raises StaleAnswerError, CancelledError, NotThemError, BrokerDownError. The question is used up
    whatever the answer was.
    """
    asked: dict[str, Any] = request.session.pop(KEY, None) or {}
    request.session.save()
    state = request.GET.get("state", "")
    if (
        asked.get("broker") != broker.slug
        or not hmac.compare_digest(state.encode(), str(asked.get("state", "")).encode())
        or time.time() - asked["at"] > ON_THE_WAY
    ):
        raise StaleAnswerError
    # Where the broker says who answers, it must be the one we asked (RFC 9207).
    if request.GET.get("iss", broker.server_url) != broker.server_url:
        _refuse(broker, "issuer of the answer")
    if "error" in request.GET:
        log.info("Somebody broke off at the broker %s.", broker.slug)
        raise CancelledError
    code = request.GET.get("code", "")
    if not code:
        raise StaleAnswerError
    known = _metadata(broker)
    token = _redeem(broker, known, code, callback, asked["verifier"])
    claims = _verified(broker, known, token)
    _judge(broker, claims, asked)
    _compare(broker, claims, customer)
    return str(claims["acr"])


def _refuse(broker: Broker, why: str) -> NoReturn:
    """Say in the log which check it was, and nothing of the person."""
    log.warning("An answer of the broker %s was refused: %s.", broker.slug, why)
    raise NotThemError


def _verified(broker: Broker, known: dict[str, Any], token: str) -> dict[str, Any]:
    """Return the claims of a token that the broker has signed for us."""
    keys = _ask(broker, "GET", _endpoint(broker, known, "jwks_uri"))
    try:
        header = jwt.get_unverified_header(token)
        if header.get("alg") not in ALGORITHMS:
            _refuse(broker, "algorithm")
        known_keys = [
            key
            for key in jwt.PyJWKSet.from_dict(keys).keys
            if key.key_id == header.get("kid") and key.public_key_use in (None, "sig")
        ]
        if len(known_keys) != 1:
            _refuse(broker, "key")
        claims: dict[str, Any] = jwt.decode(
            token,
            known_keys[0].key,
            algorithms=[header["alg"]],
            audience=broker.client_id,
            issuer=broker.server_url,
            leeway=SKEW,
            options={"require": ["iss", "aud", "exp", "iat", "sub"]},
        )
    except jwt.PyJWTError as wrong:
        # The name of the check; its message could quote the token.
        _refuse(broker, type(wrong).__name__)
    if claims["aud"] not in (broker.client_id, [broker.client_id]):
        _refuse(broker, "other audiences")
    return claims


def _judge(broker: Broker, claims: dict[str, Any], asked: dict[str, Any]) -> None:
    """See that the token answers our question, at a level we asked for, from just now."""
    nonce, at = claims.get("nonce"), claims.get("auth_time")
    if not isinstance(nonce, str) or not hmac.compare_digest(
        nonce.encode(), asked["nonce"].encode()
    ):
        _refuse(broker, "nonce")
    if claims.get("acr") not in broker.acr_values:
        _refuse(broker, "acr")
    # `isinstance(True, int)` holds in Python.
    if not isinstance(at, int) or isinstance(at, bool):
        _refuse(broker, "auth_time missing")
    if not asked["at"] - SKEW <= at <= time.time() + SKEW:
        _refuse(broker, "auth_time")


def _compare(broker: Broker, claims: dict[str, Any], customer: Customer) -> None:
    """See that the number in the token is that of the person signed in."""
    customer.refresh_from_db(fields=["national_id_hash"])
    if customer.national_id_hash is None:
        _refuse(broker, "no number to compare with")
    try:
        number = clean_national_id(str(claims.get(broker.claim, "")))
    except ValidationError:
        _refuse(broker, "no identity number")
    if not hmac.compare_digest(crypto.lookup_hash(number), bytes(customer.national_id_hash)):
        _refuse(broker, "another person")


def _redeem(broker: Broker, known: dict[str, Any], code: str, callback: str, verifier: str) -> str:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": callback,
        "code_verifier": verifier,
    }
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    ways = known.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    if "client_secret_basic" in ways:
        pair = f"{quote_plus(broker.client_id)}:{quote_plus(broker.client_secret)}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    else:
        form |= {"client_id": broker.client_id, "client_secret": broker.client_secret}
    address = _endpoint(broker, known, "token_endpoint")
    answer = _ask(broker, "POST", address, body=urlencode(form), headers=headers)
    token = answer.get("id_token")
    if not isinstance(token, str):
        _refuse(broker, "no token")
    return token


def _metadata(broker: Broker) -> dict[str, Any]:
    """Return what the broker says of itself, if it is the one we have an agreement with."""
    address = f"{broker.server_url.rstrip('/')}/.well-known/openid-configuration"
    known = _ask(broker, "GET", address)
    if known.get("issuer") != broker.server_url:
        _down(broker, "another issuer")
    return known


def _endpoint(broker: Broker, known: dict[str, Any], name: str) -> str:
    address = str(known.get(name, ""))
    parts = urlsplit(address)
    if parts.scheme != urlsplit(broker.server_url).scheme or not parts.hostname:
        _down(broker, name)
    return address


def _down(broker: Broker, why: str) -> NoReturn:
    log.error("The broker %s does not answer as it should: %s.", broker.slug, why)
    raise BrokerDownError


def _ask(
    broker: Broker,
    method: str,
    address: str,
    body: str | None = None,
    headers: dict[str, str] | None = None,
) -> dict[str, Any]:
    """Return the JSON object at an address of the broker; no redirect is followed."""
    try:
        answer = _http.request(
            method,
            address,
            body=body,
            headers={"Accept": "application/json", **(headers or {})},
            redirect=False,
            preload_content=False,
        )
        try:
            status, text = answer.status, answer.read(LARGEST_ANSWER + 1)
        finally:
            answer.release_conn()
    except urllib3.exceptions.HTTPError as wrong:
        _down(broker, type(wrong).__name__)
    if method == "POST" and status == 400:
        # A code that is spent, late or not ours.
        _refuse(broker, "code")
    if status != 200 or len(text) > LARGEST_ANSWER:
        _down(broker, f"status {status}")
    try:
        found = json.loads(text)
    except ValueError:
        _down(broker, "not JSON")
    if not isinstance(found, dict):
        _down(broker, "not an object")
    return found
