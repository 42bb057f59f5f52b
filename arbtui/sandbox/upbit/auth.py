"""Upbit's JWT (docs.upbit.com, "Authentication"): HS256 or HS512, a nonce used once, and a SHA-512 of the query."""

import hashlib
from collections.abc import Mapping
from typing import Any

from arbtui.sandbox.answer import Refusal
from arbtui.sandbox.faults import WireFaults
from arbtui.sandbox.keys import Key
from arbtui.sandbox.upbit.refusals import refused
from arbtui.sandbox.won.auth import TokenAuth

#: Nonces remembered; an older one could be used again.
_MEMORY = 100_000


class UpbitAuth(TokenAuth):
    """See there."""

    digests = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}  # noqa: RUF012  a constant, typed as a Mapping
    names_digest = False

    def __init__(self, keys: Mapping[str, Key], faults: WireFaults) -> None:
        super().__init__(keys, faults)
        self._nonces: dict[tuple[str, str], None] = {}

    def refused(self, name: str) -> Refusal:
        """See there."""
        return refused(name)

    def check_scheme(self, scheme: str, token: str) -> None:
        """See there."""
        if scheme.lower() != "bearer" or not token:
            raise refused("no_authorization_token")

    def check_claims(self, key: Key, claims: Mapping[str, Any]) -> None:
        """See there: a nonce that was not used before."""
        nonce = (key.key, str(claims.get("nonce", "")))
        if not nonce[1]:
            raise refused("invalid_query_payload")
        if nonce in self._nonces:
            raise refused("nonce_used")
        self._nonces[nonce] = None
        if len(self._nonces) > _MEMORY:
            del self._nonces[next(iter(self._nonces))]
