"""An OpenID provider on loopback: small, and honest until a test makes it lie.

It demands what a broker demands (a client it knows, its secret, PKCE, a code used once, the address
it has registered) and signs with keys made at its start.
"""

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote_plus, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT, SECRET = "dentalclean", "a secret: with & signs"
LEVEL, LOW_LEVEL = "urn:bankid:same-device", "urn:email"
KEY, OTHER_KEY = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _n in range(2))


class Provider:
    """What the provider knows, and how it lies: by the names of claims, and of a few acts."""

    def __init__(self, port: int, callbacks: set[str]) -> None:
        self.issuer = f"http://127.0.0.1:{port}"
        self.callbacks = callbacks
        self.number = ""
        self.claims: dict[str, Any] = {}
        self.lies: set[str] = set()
        self.codes: dict[str, dict[str, str]] = {}
        self.asked: list[dict[str, str]] = []
        self.refused: list[str] = []

    def settings(self, **other: Any) -> dict[str, Any]:
        """Return the settings of Dentalclean for it."""
        return {
            "bankid": {
                "slug": "bankid",
                "name": "BankID",
                "server_url": self.issuer,
                "client_id": CLIENT,
                "client_secret": SECRET,
                "acr_values": (LEVEL,),
                "claim": "ssn",
                "scope": "openid ssn",
                **other,
            }
        }

    def metadata(self) -> dict[str, Any]:
        return {
            "issuer": "http://127.0.0.1:1" if "metadata" in self.lies else self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        }

    def jwks(self) -> dict[str, Any]:
        public = jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key(), as_dict=True)
        return {"keys": [{**public, "kid": "one", "use": "sig", "alg": "RS256"}]}

    def authorize(self, asked: dict[str, str]) -> str:
        """Let the person identify themselves at once; return where to go."""
        assert asked["client_id"] == CLIENT
        assert asked["redirect_uri"] in self.callbacks, asked["redirect_uri"]
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split()
        self.asked.append(asked)
        if "cancel" in self.lies:
            answer = {"error": "access_denied", "state": asked["state"]}
        else:
            code = secrets.token_urlsafe(16)
            self.codes[code] = asked
            answer = {"code": code, "state": asked["state"], "iss": self.issuer}
        if "answer_issuer" in self.lies:
            answer["iss"] = "https://another.example"
        return f"{asked['redirect_uri']}?{urlencode(answer)}"

    def redeem(self, form: dict[str, str], authorization: str) -> dict[str, Any] | None:
        """Return what a code is worth; None when it is not."""
        pair = base64.b64decode(authorization.removeprefix("Basic ")).decode()
        assert [unquote_plus(half) for half in pair.split(":")] == [CLIENT, SECRET]
        asked = self.codes.pop(form["code"], None)
        if asked is None or form["redirect_uri"] != asked["redirect_uri"]:
            return None
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        if base64.urlsafe_b64encode(digest).decode().rstrip("=") != asked["code_challenge"]:
            return None
        return {"access_token": "x", "token_type": "Bearer", "id_token": self.token(asked)}

    def token(self, asked: dict[str, str]) -> str:
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "sub": "somebody",
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "auth_time": now,
            "nonce": asked["nonce"],
            "acr": asked["acr_values"].split()[0],
            "ssn": self.number,
            **self.claims,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        if "none" in self.lies:
            return jwt.encode(claims, None, algorithm="none")
        if "shared" in self.lies:
            return jwt.encode(claims, SECRET * 2, algorithm="HS256", headers={"kid": "one"})
        key = OTHER_KEY if "forged" in self.lies else KEY
        kid = "two" if "unknown key" in self.lies else "one"
        return jwt.encode(claims, key, algorithm="RS256", headers={"kid": kid})


def _handler(provider: Provider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_line: Any) -> None:
            pass

        def _json(self, found: Any, status: int = 200) -> None:
            body = json.dumps(found).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            if "down" in provider.lies:
                self._json({"error": "server_error"}, 500)
            elif self.path == "/.well-known/openid-configuration":
                self._json(provider.metadata())
            elif self.path == "/jwks":
                self._json(provider.jwks())
            else:
                asked = dict(parse_qsl(urlsplit(self.path).query))
                self.send_response(302)
                self.send_header("Location", provider.authorize(asked))
                self.send_header("Content-Length", "0")
                self.end_headers()

        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(sent).items()}
            worth = provider.redeem(form, self.headers["Authorization"])
            if worth is None:
                self._json({"error": "invalid_grant"}, 400)
            else:
                self._json(worth)

    return Handler


@contextmanager
def running(callbacks: set[str]) -> Iterator[Provider]:
    """Run a provider that knows these addresses to lead back to."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    provider = Provider(server.server_address[1], callbacks)
    server.RequestHandlerClass = _handler(provider)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
