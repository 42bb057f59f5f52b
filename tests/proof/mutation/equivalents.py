"""Mutants that change nothing that anybody could see, each with its reason, as `equivalents.toml` lists them."""

import tomllib
from pathlib import Path

FILE = Path(__file__).with_name("equivalents.toml")


def equivalents(file: Path = FILE) -> dict[str, str]:
    """Reasons by mutant id.

    Raises:
        ValueError: an entry without a reason, or one listed twice.
    """
    found: dict[str, str] = {}
    for entry in tomllib.loads(file.read_text()).get("equivalent", []):
        mutant, reason = entry["mutant"], entry["reason"]
        if not reason.strip():
            raise ValueError(f"{file.name}: no reason for {mutant}")
        if mutant in found:
            raise ValueError(f"{file.name}: listed twice: {mutant}")
        found[mutant] = reason
    return found
