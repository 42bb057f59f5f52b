"""OKX's signatures (okx.com/docs-v5, "Making Requests", "Login"): base64 of HMAC-SHA256 over time, method, path and body."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from arbtui.sandbox.call import Call
from arbtui.sandbox.clock import VenueClock
from arbtui.sandbox.faults import WireFaultKind, WireFaults
from arbtui.sandbox.keys import Key
from arbtui.sandbox.okx.refusals import refused

#: ms that a request's time may be off the venue's.
WINDOW_MS = 30_000
_HEADERS = {"ok-access-key": "50103", "ok-access-passphrase": "50104", "ok-access-sign": "50106", "ok-access-timestamp": "50107"}


class OkxAuth:
    """Checks requests and logins against the known ``keys`` (by key)."""

    def __init__(self, keys: Mapping[str, Key], faults: WireFaults, clock: VenueClock) -> None:
        self.keys = dict(keys)
        self._faults = faults
        self._clock = clock

    def check(self, call: Call) -> Key:
        """The key that signed ``call``.

        Raises:
            Refusal: with OKX's own code.
        """
        given = {name.lower(): value for name, value in call.headers.items()}
        for name, code in _HEADERS.items():
            if not given.get(name):
                raise refused(code)
        at = given["ok-access-timestamp"]
        try:
            time_ms = datetime.strptime(at, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC).timestamp() * 1000
        except ValueError:
            raise refused("50112") from None
        if abs(time_ms - self._clock.time_ms()) > WINDOW_MS:
            raise refused("50102")
        key = self._key(given["ok-access-key"])
        if key is None:
            raise refused("50111")
        if not hmac.compare_digest(key.passphrase, given["ok-access-passphrase"]):
            raise refused("50105")
        asked = call.path + (f"?{call.query}" if call.query else "")
        if not hmac.compare_digest(_signature(key, at + call.method + asked + call.body.decode(errors="replace")), given["ok-access-sign"]):
            raise refused("50113")
        return key

    def logs_in(self, told: Mapping[str, Any]) -> tuple[str, str]:
        """The code and words with which a login is refused; both empty for one that is good."""
        at = str(told.get("timestamp", ""))
        if not at.isdecimal():
            return "60004", "Invalid timestamp"
        if abs(int(at) * 1000 - self._clock.time_ms()) > WINDOW_MS:
            return "60006", "Timestamp request expired"
        key = self._key(str(told.get("apiKey", "")))
        if key is None:
            return "60032", "API key doesn't exist"
        if not hmac.compare_digest(key.passphrase.encode(), str(told.get("passphrase", "")).encode()):
            return "60024", "Wrong passphrase"
        if not hmac.compare_digest(_signature(key, f"{at}GET/users/self/verify").encode(), str(told.get("sign", "")).encode()):
            return "60007", "Invalid sign"
        return "", ""

    def _key(self, name: str) -> Key | None:
        return None if self._faults.take(WireFaultKind.REVOKE) is not None else self.keys.get(name)


def _signature(key: Key, text: str) -> str:
    return base64.b64encode(hmac.new(key.secret.encode(), text.encode(), hashlib.sha256).digest()).decode()
