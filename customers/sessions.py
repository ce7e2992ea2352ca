"""Sessions in the database with their owner in a column of its own."""

from typing import Any

from django.apps import apps
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore


class SessionStore(DatabaseStore):
    @classmethod
    def get_model_class(cls) -> Any:
        return apps.get_model("customers", "Session")

    def _validate_session_key(self, key: str | None) -> bool:
        """Take only a key that we could have drawn; PostgreSQL would choke on a NUL (B11)."""
        return bool(key) and str(key).isascii() and str(key).isalnum()

    def create_model_instance(self, data: dict[str, Any]) -> Any:
        session: Any = super().create_model_instance(data)
        owner = data.get(SESSION_KEY)
        session.user_id = int(owner) if owner else None
        return session
