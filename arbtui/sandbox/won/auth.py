"""TokenAuth: checks the JSON web tokens of requests: key, signature, the venue's own claims, and the SHA-512 of the parameters."""

import base64
import hashlib
import hmac
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar
from urllib.parse import unquote

from arbtui.sandbox.answer import Refusal
from arbtui.sandbox.call import Call
from arbtui.sandbox.faults import WireFaultKind, WireFaults
from arbtui.sandbox.keys import Key


class TokenAuth(ABC):
    """Checks tokens against the known ``keys`` (by access key).

    ``digests``: by the token's ``alg``. ``names_digest``: whether a token with parameters must name the digest of their hash.
    """

    digests: ClassVar[Mapping[str, Callable[..., Any]]]
    names_digest: ClassVar[bool]

    def __init__(self, keys: Mapping[str, Key], faults: WireFaults) -> None:
        self.keys = dict(keys)
        self._faults = faults

    @abstractmethod
    def refused(self, name: str) -> Refusal:
        """The venue's refusal of that name."""

    @abstractmethod
    def check_scheme(self, scheme: str, token: str) -> None:
        """Check what stands before the token, and that there is one; raises the venue's refusal."""

    @abstractmethod
    def check_claims(self, key: Key, claims: Mapping[str, Any]) -> None:
        """Check what the venue asks of a request's token beside its signature; raises its refusal."""

    def check(self, call: Call, body: Mapping[str, Any] | None) -> Key:
        """The key that signed ``call``.

        Raises:
            Refusal: with the venue's own error name.
        """
        key, claims = self._verified(call.headers)
        self.check_claims(key, claims)
        asked = unquote(call.query) if body is None else query_of(body)
        if asked:
            expected = hashlib.sha512(asked.encode()).hexdigest()
            digest = claims.get("query_hash_alg", None if self.names_digest else "SHA512")
            if digest != "SHA512" or not hmac.compare_digest(str(claims.get("query_hash", "")), expected):
                raise self.refused("invalid_query_payload")
        return key

    def check_socket(self, headers: Mapping[str, str]) -> Key:
        """The key that opened a private socket; its nonce may repeat, since clients sign it once for all reconnects."""
        return self._verified(headers)[0]

    def _verified(self, headers: Mapping[str, str]) -> tuple[Key, dict[str, Any]]:
        scheme, _, token = headers.get("Authorization", "").partition(" ")
        self.check_scheme(scheme, token)
        try:
            head, claims, signature = token.split(".")
            digest = self.digests[json.loads(_decoded(head))["alg"]]
            content = json.loads(_decoded(claims))
            mac = _decoded(signature)
            access_key = str(content["access_key"])
        except (ValueError, KeyError, TypeError):  # not a JWT, or not one that the venue accepts
            raise self.refused("jwt_verification") from None
        key = self.keys.get(access_key)
        if key is None or self._faults.take(WireFaultKind.REVOKE) is not None:
            raise self.refused("invalid_access_key")
        if not hmac.compare_digest(hmac.new(key.secret.encode(), f"{head}.{claims}".encode(), digest).digest(), mac):
            raise self.refused("jwt_verification")
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
