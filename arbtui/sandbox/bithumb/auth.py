"""Bithumb's JWT (apidocs.bithumb.com, docs/인증-토큰-생성하기): HS256, the time in ms, a nonce, and a SHA-512 of the parameters.

How old a token may be is in no document; that one can be too old is (``expired_jwt``). Whether a nonce is taken twice is in none either:
here it is.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

from arbtui.sandbox.bithumb.refusals import refused
from arbtui.sandbox.call import Call
from arbtui.sandbox.faults import WireFaultKind, WireFaults
from arbtui.sandbox.keys import Key

#: ms that a token's time may differ from the venue's clock.
_WINDOW_MS = 30_000


class BithumbAuth:
    """Checks tokens against the known ``keys`` (by access key)."""

    def __init__(self, keys: Mapping[str, Key], faults: WireFaults, now_ms: Callable[[], int]) -> None:
        self._keys = dict(keys)
        self._faults = faults
        self._now_ms = now_ms

    def check(self, call: Call, body: Mapping[str, Any] | None) -> Key:
        """The key that signed ``call``.

        Raises:
            Refusal: with Bithumb's own error name.
        """
        key, claims = self._verified(call.headers)
        asked = unquote(call.query) if body is None else query_of(body)
        if asked:
            expected = hashlib.sha512(asked.encode()).hexdigest()
            if claims.get("query_hash_alg") != "SHA512" or not hmac.compare_digest(str(claims.get("query_hash", "")), expected):
                raise refused("invalid_query_payload")
        return key

    def check_socket(self, headers: Mapping[str, str]) -> Key:
        """The key that opened a private socket."""
        return self._verified(headers)[0]

    def _verified(self, headers: Mapping[str, str]) -> tuple[Key, dict[str, Any]]:
        scheme, _, token = headers.get("Authorization", "").partition(" ")
        try:
            head, claims, signature = token.split(".")
            content = json.loads(_decoded(claims))
            mac = _decoded(signature)
            access_key, nonce, at_ms = str(content["access_key"]), str(content["nonce"]), int(content["timestamp"])
            is_hs256 = json.loads(_decoded(head))["alg"] == "HS256"
        except (ValueError, KeyError, TypeError):  # not a JWT, or one that lacks a claim
            raise refused("jwt_verification") from None
        key = self._keys.get(access_key)
        if key is None or self._faults.take(WireFaultKind.REVOKE) is not None:
            raise refused("invalid_access_key")
        expected = hmac.new(key.secret.encode(), f"{head}.{claims}".encode(), hashlib.sha256).digest()
        if scheme != "Bearer" or not nonce or not is_hs256 or not hmac.compare_digest(expected, mac):
            raise refused("jwt_verification")
        if abs(self._now_ms() - at_ms) > _WINDOW_MS:
            raise refused("expired_jwt")
        return key, content


def query_of(body: Mapping[str, Any]) -> str:
    """A JSON body as the query string that is hashed: ``a=1&b[]=2&b[]=3``, in the body's own order."""
    parts: list[str] = []
    for name, value in body.items():
        if isinstance(value, list):
            parts += [f"{name}[]={one}" for one in value]
        else:
            parts.append(f"{name}={value}")
    return "&".join(parts)


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
