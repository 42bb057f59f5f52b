"""Upbit's JWT (docs.upbit.com, "Authentication"): HS256 or HS512, a nonce used once, and a SHA-512 of the query."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from arbtui.sandbox.call import Call
from arbtui.sandbox.faults import WireFaultKind, WireFaults
from arbtui.sandbox.keys import Key
from arbtui.sandbox.upbit.refusals import refused

_DIGESTS = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}
#: Nonces remembered; an older one could be used again.
_MEMORY = 100_000


class UpbitAuth:
    """Checks tokens against the known ``keys`` (by access key)."""

    def __init__(self, keys: Mapping[str, Key], faults: WireFaults) -> None:
        self.keys = dict(keys)
        self._faults = faults
        self._nonces: dict[tuple[str, str], None] = {}

    def check(self, call: Call, body: Mapping[str, Any] | None) -> Key:
        """The key that signed ``call``.

        Raises:
            Refusal: with Upbit's own error name.
        """
        key, claims = self._verified(call.headers)
        nonce = (key.key, str(claims.get("nonce", "")))
        if not nonce[1]:
            raise refused("invalid_query_payload")
        if nonce in self._nonces:
            raise refused("nonce_used")
        self._nonces[nonce] = None
        if len(self._nonces) > _MEMORY:
            del self._nonces[next(iter(self._nonces))]
        asked = unquote(call.query) if body is None else query_of(body)
        if asked:
            expected = hashlib.sha512(asked.encode()).hexdigest()
            if claims.get("query_hash_alg", "SHA512") != "SHA512" or not hmac.compare_digest(str(claims.get("query_hash", "")), expected):
                raise refused("invalid_query_payload")
        return key

    def check_socket(self, headers: Mapping[str, str]) -> Key:
        """The key that opened a private socket; its nonce may repeat, since clients sign it once for all reconnects."""
        return self._verified(headers)[0]

    def _verified(self, headers: Mapping[str, str]) -> tuple[Key, dict[str, Any]]:
        scheme, _, token = headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise refused("no_authorization_token")
        try:
            head, claims, signature = token.split(".")
            digest = _DIGESTS[json.loads(_decoded(head))["alg"]]
            content = json.loads(_decoded(claims))
            mac = _decoded(signature)
            access_key = str(content["access_key"])
        except (ValueError, KeyError, TypeError):  # not a JWT, or not one that Upbit accepts
            raise refused("jwt_verification") from None
        key = self.keys.get(access_key)
        if key is None or self._faults.take(WireFaultKind.REVOKE) is not None:
            raise refused("invalid_access_key")
        if not hmac.compare_digest(hmac.new(key.secret.encode(), f"{head}.{claims}".encode(), digest).digest(), mac):
            raise refused("jwt_verification")
        return key, content


def query_of(body: Mapping[str, Any]) -> str:
    """A JSON body as the query string that is hashed: ``a=1&b[]=2&b[]=3``, in the body's own order."""
    parts: list[str] = []
    for name, value in body.items():
        if isinstance(value, list):
            parts += [f"{name}[]={_text(one)}" for one in value]
        else:
            parts.append(f"{name}={_text(value)}")
    return "&".join(parts)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
