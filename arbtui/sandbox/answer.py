"""A sandbox venue's HTTP answers, and the refusals that its handlers raise."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from aiohttp import web

from arbtui.model.errors import ArbtuiError

encode = msgspec.json.Encoder().encode

JSON = "application/json"


@dataclass(slots=True)
class Answer:
    """One HTTP answer, ready to be sent."""

    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = JSON


class Refusal(ArbtuiError):
    """A venue's refusal in its own format; raised by handlers and sent as an answer."""

    def __init__(self, status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status} {body}")
        self.status = status
        self.body = dict(body)
        self.headers = dict(headers or {})

    def answer(self) -> Answer:
        """The refusal as an HTTP answer."""
        return Answer(encode(self.body), self.status, self.headers)


def response_of(answer: Answer) -> web.Response:
    """``answer`` as the server sends it."""
    return web.Response(body=answer.body, status=answer.status, headers=answer.headers, content_type=answer.content_type)
