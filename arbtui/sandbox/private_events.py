"""Private events on their way out: sent in order and once, except where a fault changes that."""

from collections.abc import Callable

from arbtui.sandbox.faults import WireFaultKind, WireFaults

Send = Callable[[str, str, bytes], None]  #: market code, kind of event, payload
_Event = tuple[str, str, bytes]


class Rearranger:
    """Sends events with ``send``, and applies the faults that lose, repeat and reorder them."""

    def __init__(self, faults: WireFaults, send: Send) -> None:
        self._faults = faults
        self._send = send
        self._held: _Event | None = None

    def send(self, code: str, kind: str, payload: bytes) -> None:
        """Send one event, subject to the faults."""
        faults = self._faults
        if not faults and self._held is None:
            self._send(code, kind, payload)
            return
        if faults.take(WireFaultKind.FREEZE, symbol=code, stream="private") is not None:
            return
        if faults.take(WireFaultKind.LOSE, symbol=code, stream="private") is not None:
            return
        if self._held is None and faults.take(WireFaultKind.REORDER, symbol=code, stream="private") is not None:
            self._held = (code, kind, payload)  # sent after the next one
            return
        self._send(code, kind, payload)
        if faults.take(WireFaultKind.DUPLICATE, symbol=code, stream="private") is not None:
            self._send(code, kind, payload)
        held, self._held = self._held, None
        if held is not None:
            self._send(*held)
