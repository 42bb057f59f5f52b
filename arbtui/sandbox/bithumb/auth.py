"""Bithumb's JWT (apidocs.bithumb.com, docs/인증-토큰-생성하기): HS256, the time in ms, a nonce, and a SHA-512 of the parameters.

How old a token may be is in no document; that one can be too old is (``expired_jwt``). Whether a nonce is taken twice is in none either:
here it is.
"""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from arbtui.sandbox.answer import Refusal
from arbtui.sandbox.bithumb.refusals import refused
from arbtui.sandbox.faults import WireFaults
from arbtui.sandbox.keys import Key
from arbtui.sandbox.won.auth import TokenAuth

#: ms that a token's time may differ from the venue's clock.
_WINDOW_MS = 30_000


class BithumbAuth(TokenAuth):
    """See there."""

    digests = {"HS256": hashlib.sha256}  # noqa: RUF012  a constant, typed as a Mapping
    names_digest = True

    def __init__(self, keys: Mapping[str, Key], faults: WireFaults, now_ms: Callable[[], int]) -> None:
        super().__init__(keys, faults)
        self._now_ms = now_ms

    def refused(self, name: str) -> Refusal:
        """See there."""
        return refused(name)

    def check_scheme(self, scheme: str, token: str) -> None:
        """See there."""
        if scheme != "Bearer":
            raise refused("jwt_verification")

    def check_claims(self, key: Key, claims: Mapping[str, Any]) -> None:
        """See there: a nonce, and a time that is near the venue's."""
        try:
            at_ms = int(claims["timestamp"])
        except (KeyError, ValueError, TypeError):
            raise refused("jwt_verification") from None
        if not str(claims.get("nonce", "")):
            raise refused("jwt_verification")
        if abs(self._now_ms() - at_ms) > _WINDOW_MS:
            raise refused("expired_jwt")

    def check_socket(self, headers: Mapping[str, str]) -> Key:
        """See there; its nonce and time are checked, too."""
        key, claims = self._verified(headers)
        self.check_claims(key, claims)
        return key
