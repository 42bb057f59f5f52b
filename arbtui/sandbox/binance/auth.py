"""Binance's request security (Spot API, "Request security"): API key header, HMAC-SHA256 signature, timestamp and recvWindow."""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from arbtui.sandbox.binance.refusals import mandatory, refused
from arbtui.sandbox.call import Call
from arbtui.sandbox.clock import VenueClock
from arbtui.sandbox.faults import WireFaultKind, WireFaults
from arbtui.sandbox.keys import Key

#: How far ahead of the venue's clock a timestamp may be, in ms.
_AHEAD_MS = 1000
_DEFAULT_WINDOW_MS, _WIDEST_WINDOW_MS = 5000, 60_000


class BinanceAuth:
    """Checks signed requests against the known ``keys``."""

    def __init__(self, keys: Mapping[str, Key], faults: WireFaults, clock: VenueClock) -> None:
        self.keys = dict(keys)
        self._faults = faults
        self._clock = clock

    def check(self, call: Call, params: Mapping[str, str]) -> Key:
        """The key that signed a REST call.

        Raises:
            Refusal: with Binance's code for what is wrong.
        """
        key = self._key(call.headers.get("X-MBX-APIKEY"))
        signature = params.get("signature")
        if not signature:
            raise mandatory("signature")
        # The signed text is the query string and the body, one after the other, without the signature itself.
        signed = _without_signature(call.query) + _without_signature(call.body.decode(errors="replace"))
        self._check_signature(key, signed, signature)
        self._check_time(params)
        return key

    def check_socket(self, api_key: object, query: str) -> Key:
        """The key that signed the URL of a handshake: its parameters in the order of their names, without the signature."""
        key = self._key(api_key)
        params = dict(parse_qsl(query, keep_blank_values=True))
        signature = params.pop("signature", None)
        if not signature:
            raise mandatory("signature")
        self._check_signature(key, "&".join(f"{name}={params[name]}" for name in sorted(params)), signature)
        self._check_time(params)
        return key

    def check_message(self, params: Mapping[str, Any]) -> Key:
        """The key that signed a request of the WebSocket API: its parameters in order of their names."""
        key = self._key(params.get("apiKey"))
        signature = params.get("signature")
        if not signature:
            raise mandatory("signature")
        signed = "&".join(f"{name}={_text(params[name])}" for name in sorted(params) if name != "signature")
        self._check_signature(key, signed, str(signature))
        self._check_time({name: str(value) for name, value in params.items()})
        return key

    def _key(self, api_key: object) -> Key:
        if not api_key:
            raise refused(-2014)
        key = self.keys.get(str(api_key))
        if key is None or self._faults.take(WireFaultKind.REVOKE) is not None:
            raise refused(-2015)
        return key

    def _check_signature(self, key: Key, signed: str, signature: str) -> None:
        expected = hmac.new(key.secret.encode(), signed.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected, signature):
            raise refused(-1022)

    def _check_time(self, params: Mapping[str, str]) -> None:
        try:
            timestamp = int(params["timestamp"])
        except (KeyError, ValueError):
            raise mandatory("timestamp") from None
        try:
            window = float(params.get("recvWindow", _DEFAULT_WINDOW_MS))
        except ValueError:
            raise mandatory("recvWindow") from None
        if window > _WIDEST_WINDOW_MS:
            raise refused(-1131)
        now = self._clock.time_ms()
        if timestamp >= now + _AHEAD_MS:
            raise refused(-1021, f"Timestamp for this request was {_AHEAD_MS}ms ahead of the server's time.")
        if now - timestamp > window:
            raise refused(-1021)


def _without_signature(text: str) -> str:
    return "&".join(part for part in text.split("&") if not part.startswith("signature="))


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
