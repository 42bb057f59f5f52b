"""Bybit's signatures (v5, "Integration Guidance" and "Connect"): HMAC-SHA256 over time, key, window and parameters."""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Any

from arbtui.sandbox.bybit.refusals import refused
from arbtui.sandbox.call import Call
from arbtui.sandbox.clock import VenueClock
from arbtui.sandbox.faults import WireFaultKind, WireFaults
from arbtui.sandbox.keys import Key

#: ms that a request's time may be ahead of the venue's.
_AHEAD_MS = 1000
_WINDOW_MS = 5000


class BybitAuth:
    """Checks requests and logins against the known ``keys`` (by key)."""

    def __init__(self, keys: Mapping[str, Key], faults: WireFaults, clock: VenueClock) -> None:
        self.keys = dict(keys)
        self._faults = faults
        self._clock = clock

    def check(self, call: Call) -> Key:
        """The key that signed ``call``.

        Raises:
            Refusal: with Bybit's own code.
        """
        given = {name.lower(): value for name, value in call.headers.items()}
        if not {"x-bapi-api-key", "x-bapi-timestamp", "x-bapi-sign"} <= given.keys():
            raise refused(10003, "Params Error: missing authentication headers", 401)
        key = self._key(given["x-bapi-api-key"])
        at, window = given["x-bapi-timestamp"], given.get("x-bapi-recv-window", str(_WINDOW_MS))
        if not at.isdigit() or not window.isdigit():
            raise refused(10001)
        now = self._clock.time_ms()
        if not now - int(window) <= int(at) < now + _AHEAD_MS:
            told = f"req_timestamp[{at}],server_timestamp[{now}],recv_window[{window}]"
            raise refused(10002, f"invalid request, please check your server timestamp or recv_window param. {told}")
        text = at + key.key + window + (call.body.decode(errors="replace") if call.method == "POST" else call.query)
        if not hmac.compare_digest(_signature(key, text), given["x-bapi-sign"]):
            raise refused(10004)
        return key

    def logs_in(self, args: Sequence[Any]) -> bool:
        """Whether the arguments of ``auth`` are a key, a time to come and its signature."""
        if len(args) != 3 or not isinstance(args[1], int) or args[1] <= self._clock.time_ms():
            return False
        key = self.keys.get(str(args[0]))
        if key is None or self._faults.take(WireFaultKind.REVOKE) is not None:
            return False
        return hmac.compare_digest(_signature(key, f"GET/realtime{args[1]}"), str(args[2]))

    def _key(self, name: str) -> Key:
        key = self.keys.get(name)
        if key is None or self._faults.take(WireFaultKind.REVOKE) is not None:
            raise refused(10003)
        return key


def _signature(key: Key, text: str) -> str:
    return hmac.new(key.secret.encode(), text.encode(), hashlib.sha256).hexdigest()
