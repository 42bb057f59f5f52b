"""The result files: one for each check, revision and set of arguments."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.proof.check import Result, Verdict


class ResultFiles:
    """Results in ``folder``, which no commit holds. A file is there whole or not at all."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, name: str, revision: str, arguments: Mapping[str, Any]) -> Path:
        """Where that result belongs."""
        digest = hashlib.sha256(json.dumps(arguments, sort_keys=True).encode()).hexdigest()[:8]
        return self.folder / f"{name}-{revision}-{digest}.json"

    def workspace(self, name: str, revision: str, arguments: Mapping[str, Any]) -> Path:
        """The folder for what an unfinished run of it has found so far, made on first use."""
        folder = self.path(name, revision, arguments).with_suffix("")
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def read(self, name: str, revision: str, arguments: Mapping[str, Any]) -> Result | None:
        """The result, or None when there is none, or none that can be read."""
        try:
            kept = json.loads(self.path(name, revision, arguments).read_text())
            return Result(**{**kept, "verdict": Verdict(kept["verdict"])})
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None

    def write(self, result: Result) -> Path:
        """Keep ``result``; its file."""
        path = self.path(result.name, result.revision, result.arguments)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        part.write_text(json.dumps(asdict(result), indent=1) + "\n")
        part.replace(path)
        return path
