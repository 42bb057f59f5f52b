"""Bitget's signatures (bitget.com/api-doc, common, "Signature" and "Websocket API"): key, passphrase, time and HMAC-SHA256 in Base64."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

from arbtui.sandbox.bitget.refusals import refused
from arbtui.sandbox.call import Call
from arbtui.sandbox.clock import VenueClock
from arbtui.sandbox.faults import WireFaultKind, WireFaults
from arbtui.sandbox.keys import Key

#: How far a request's time may be from the venue's.
_WITHIN_MS = 30_000
_LOGIN_TEXT = "GET/user/verify"


class BitgetAuth:
    """Checks signed requests and logins against the known ``keys``."""

    def __init__(self, keys: Mapping[str, Key], faults: WireFaults, clock: VenueClock) -> None:
        self._keys = dict(keys)
        self._faults = faults
        self._clock = clock

    def check(self, call: Call) -> Key:
        """The key that signed a request.

        Raises:
            Refusal: with Bitget's code for what is wrong.
        """
        told = call.headers
        for name, code in (("ACCESS-KEY", "40001"), ("ACCESS-SIGN", "40002"), ("ACCESS-PASSPHRASE", "40011")):
            if not told.get(name):
                raise refused(code)
        key = self._keys.get(told["ACCESS-KEY"])
        if key is None or self._faults.take(WireFaultKind.REVOKE) is not None:
            raise refused("40006")
        if told["ACCESS-PASSPHRASE"] != key.passphrase:
            raise refused("40012")
        stamp = told.get("ACCESS-TIMESTAMP", "")
        if not stamp.isdecimal():
            raise refused("40005")
        if abs(self._clock.time_ms() - int(stamp)) > _WITHIN_MS:
            raise refused("40008")
        query = f"?{call.query}" if call.query else ""
        if not _matches(key, f"{stamp}{call.method}{call.path}{query}{call.body.decode(errors='replace')}", told["ACCESS-SIGN"]):
            raise refused("40009")
        return key

    def check_login(self, told: Mapping[str, Any]) -> Key:
        """The key that logs in over a WebSocket, its time in seconds.

        Raises:
            Refusal: with Bitget's code for what is wrong.
        """
        key = self._keys.get(str(told.get("apiKey")))
        if key is None or self._faults.take(WireFaultKind.REVOKE) is not None:
            raise refused("30011")
        if str(told.get("passphrase")) != key.passphrase:
            raise refused("30012")
        stamp = str(told.get("timestamp"))
        if not stamp.isdecimal():
            raise refused("30013")
        if abs(self._clock.time_ms() - int(stamp) * 1000) > _WITHIN_MS:
            raise refused("30014")
        if not _matches(key, f"{stamp}{_LOGIN_TEXT}", str(told.get("sign"))):
            raise refused("30015")
        return key


def _matches(key: Key, text: str, signature: str) -> bool:
    expected = base64.b64encode(hmac.new(key.secret.encode(), text.encode(), hashlib.sha256).digest()).decode()
    return hmac.compare_digest(expected.encode(), signature.encode())
