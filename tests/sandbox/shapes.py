"""Shapes of JSON: which keys, which types; and the foreign messages that the sandbox's are held against."""

import base64
import gzip
import json
import tarfile
from pathlib import Path
from typing import Any


def differences(ours: Any, theirs: Any, where: str = "$") -> list[str]:
    """Where the shape of ``ours`` is not that of ``theirs``: keys and JSON types, lists by their first rows. Null is any type."""
    if ours is None or theirs is None:
        return []
    if isinstance(ours, dict) and isinstance(theirs, dict):
        found = [f"{where} lacks {key}" for key in theirs if key not in ours]
        found += [f"{where} invents {key}" for key in ours if key not in theirs]
        return found + [one for key in theirs if key in ours for one in differences(ours[key], theirs[key], f"{where}.{key}")]
    if isinstance(ours, list) and isinstance(theirs, list):
        return differences(ours[0], theirs[0], f"{where}[0]") if ours and theirs else []
    return [] if _type(ours) == _type(theirs) else [f"{where} is a {_type(ours)}, not a {_type(theirs)}"]


def _type(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    return {"int": "number", "float": "number", "Decimal": "number", "str": "string", "dict": "object", "list": "list"}[
        type(value).__name__
    ]


class Fixtures:
    """Messages that others recorded or transcribed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._archives: dict[str, dict[str, str]] = {}

    def of(self, name: str) -> Any:
        """``upbit:``, ``bybit:`` ... with a path of the .NET clients' tests, ``hft:``, ``cryptofeed-upbit:``, ``markets:``."""
        source, _, path = name.partition(":")
        if source == "hft":
            return self._hft(path)
        if source == "cryptofeed-upbit":
            return self._cryptofeed(path)
        if source == "markets":
            with gzip.open(self._folder / "markets" / path) as file:
                return json.load(file)
        text = self._archive(source)[path]
        body = text.split("\n=", 1)[1] if "\n=" in text else text.split("\n", 3)[3]
        return json.loads(body.replace("|1|", "1"))

    def ack(self, name: str, place: int = 0) -> Any:
        """The answer (line ``<``) of a subscription; ``place``: which, where there are several."""
        source, _, path = name.partition(":")
        line = [line for line in self._archive(source)[path].splitlines() if line.startswith("<")][place]
        return json.loads(line[1:].replace("|1|", "1"))

    def _archive(self, source: str) -> dict[str, str]:
        if source not in self._archives:
            (path,) = (one for one in (self._folder / "fixtures").iterdir() if one.name.lower() == f"jkorf-{source}.net.tar.gz")
            start, texts = "UnitTests/", {}
            with tarfile.open(path) as archive:
                for member in archive:
                    file = archive.extractfile(member) if member.isfile() and start in member.name else None
                    if file is not None:
                        texts[member.name.split(start, 1)[1]] = file.read().decode("utf-8-sig", "replace").replace("\r\n", "\n")
            self._archives[source] = texts
        return self._archives[source]

    def _hft(self, kind: str) -> Any:
        with gzip.open(self._folder / "hftbacktest" / "spot_btcusdt_20240808.gz", "rt") as file:
            for line in file:
                told = json.loads(line.partition(" ")[2])
                if (kind == "snapshot" and "lastUpdateId" in told) or told.get("stream") == kind:
                    return told
        raise LookupError(kind)

    def _cryptofeed(self, kind: str) -> Any:
        with gzip.open(self._folder / "cryptofeed" / "UPBIT.jsonl.gz", "rt") as file:
            for line in file:
                told = json.loads(line)
                if "b64" in told:
                    frame = json.loads(base64.b64decode(told["b64"]))
                    if frame.get("ty") == kind:
                        return frame
        raise LookupError(kind)
