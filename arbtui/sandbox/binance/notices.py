"""Binance's notices (CMS, "WebSocket API Basic Information", "Announcements"): a signed socket that brings each once."""

from typing import Any

from arbtui.sandbox.answer import encode
from arbtui.sandbox.binance.stream import BinanceSockets
from arbtui.sandbox.notices import PlayedNotice
from arbtui.sandbox.peer import Peer, text_frame

PATH = "/sapi/wss"
TOPIC = "com_announcement_en"
#: By the venue's name of it (its site's lists): catalogues of notices.
_CATALOGUES = {"New Cryptocurrency Listing": 48, "Latest News": 49, "Activities": 93, "Maintenance Updates": 157, "Delisting": 161}


class NoticeSockets(BinanceSockets[bool]):
    """Everybody who is connected hears the one topic."""

    def begin(self, peer: Peer) -> None:
        """The topic of the handshake's URL is subscribed."""
        self.fanout.want(peer, ("", TOPIC), True)

    async def read(self, peer: Peer, raw: bytes) -> None:
        """A command: accepted, whatever it says."""
        peer.send(text_frame(encode({"type": "COMMAND", "data": "SUCCESS", "subType": "SUBSCRIBE", "code": "00000000"})))

    def notice(self, peer: Peer, event: dict[str, Any]) -> Any:
        """See :class:`BinanceSockets`."""
        return event

    def publish(self, notice: PlayedNotice, now_ms: int) -> None:
        """Send a notice, as JSON inside JSON."""
        told = {
            "catalogId": _CATALOGUES.get(notice.category, 49),
            "catalogName": notice.category or "Latest News",
            "publishDate": now_ms,
            "title": notice.title,
            "body": notice.body,
            "disclaimer": "",
        }
        self.fanout.put(("", TOPIC), encode({"type": "DATA", "topic": TOPIC, "data": encode(told).decode()}))
        self.flush()


def framed(payload: bytes, _: bool) -> bytes:
    """One frame of text."""
    return text_frame(payload)
