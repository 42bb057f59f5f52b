"""Canary keys: told to the program, and looked for in everything that it left behind."""

import base64
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

KEY = "canary-key-4f1c77e0b2d94a6f8a1e"
SECRET = "canary+secret/93b5d01c6e=7f42a8"


@dataclass(frozen=True, slots=True)
class Canary:
    """One venue's keys for a test. ``key_tail`` (the last 4 characters of the key) is all that may ever be shown."""

    exchange: str = "upbit"
    key: str = KEY
    secret: str = SECRET

    def environment(self) -> dict[str, str]:
        """The variables that tell these keys."""
        return {f"ARBTUI_{self.exchange.upper()}_KEY": self.key, f"ARBTUI_{self.exchange.upper()}_SECRET": self.secret}

    def found(self, texts: Iterable[str] = (), folders: Iterable[Path] = ()) -> list[str]:
        """Where a secret shows: in what a program said, and in every file (and file name) below ``folders``."""
        places = [f"output: {text[:200]!r}" for text in texts if self._is_in(text.encode())]
        for folder in folders:
            for path in sorted(folder.rglob("*")):
                if self._is_in(str(path).encode()) or (path.is_file() and self._is_in(path.read_bytes())):
                    places.append(str(path))
        return places

    def _is_in(self, data: bytes) -> bool:
        return any(form in data for form in self._forms())

    def _forms(self) -> Iterator[bytes]:
        for text in (self.key, self.secret):
            yield text.encode()
            yield quote(text, safe="").encode()
            yield text.encode("utf-16-le")
            yield base64.b64encode(text.encode()).rstrip(b"=")
            yield text.encode().hex().encode()
            yield text[8:].encode()  # most of it is too much, too
