"""A profile's asset decisions: ``assets.json``, the operator's sign-offs, and ``quarantined.json``, what the last start did not trade."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from arbtui.exchanges.assets import Quarantine, Quarantined, SignOff
from arbtui.model.errors import UsageError
from arbtui.model.regular_file import read_regular
from arbtui.settings.state import make_private
from arbtui.settings.trust import refuse_untrusted

_LARGEST = 5_000_000
_ADVICE = "mend its owner and mode and those of its folder, free space there, or name another --state-dir"
_TYPES = {"ts_ms": int}


class SignOffs:
    """The two files in a profile's state folder. The operator writes the first, the engine the second; each is replaced atomically."""

    def __init__(self, folder: Path) -> None:
        self._signed = folder / "assets.json"
        self._quarantined = folder / "quarantined.json"
        self._folder = folder

    def signed(self) -> dict[str, SignOff]:
        """The sign-offs by symbol.

        Raises:
            UsageError: the file is damaged: nothing counts as signed then.
        """
        rows = _read(self._signed, ("symbol", "by", "ts_ms", "reason"), ("exchanges",))
        return {row["symbol"]: SignOff(**{**row, "exchanges": tuple(row.get("exchanges", ()))}) for row in rows}

    def sign(self, *sign_offs: SignOff) -> None:
        """Add, or renew, sign-offs, all in one writing.

        Raises:
            UsageError: the files cannot be read or written.
        """
        self._keep({**self.signed(), **{one.symbol: one for one in sign_offs}})

    def revoke(self, *symbols: str) -> None:
        """Revoke sign-offs; symbols without one are ignored.

        Raises:
            UsageError: the files cannot be read or written.
        """
        self._keep({symbol: one for symbol, one in self.signed().items() if symbol not in symbols})

    def quarantined(self) -> list[Quarantined]:
        """What the last start did not trade.

        Raises:
            UsageError: the file is damaged.
        """
        rows = _read(self._quarantined, ("symbol", "reason", "detail"))
        try:
            return [Quarantined(row["symbol"], Quarantine(row["reason"]), row["detail"]) for row in rows]
        except ValueError:
            raise _damaged(self._quarantined) from None

    def remember(self, quarantined: Sequence[Quarantined]) -> None:
        """Save what this start does not trade, for ``check`` and ``assets``.

        Raises:
            UsageError: the file cannot be written.
        """
        rows = [{"symbol": one.symbol, "reason": one.reason.value, "detail": one.detail} for one in quarantined]
        self._write(self._quarantined, rows)

    def _keep(self, signed: Mapping[str, SignOff]) -> None:
        rows = [
            {"symbol": one.symbol, "by": one.by, "ts_ms": one.ts_ms, "reason": one.reason, "exchanges": list(one.exchanges)}
            for one in sorted(signed.values(), key=lambda one: one.symbol)
        ]
        self._write(self._signed, rows)

    def _write(self, path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
        refuse_untrusted(self._folder.parent, self._folder)
        make_private(self._folder)
        beside = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            beside.unlink(missing_ok=True)  # what an earlier process of that number left behind
            with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
                file.write(json.dumps(rows, indent=2) + "\n")
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
        except OSError as error:
            raise UsageError(f"{path} cannot be written ({error.strerror or error}): {_ADVICE}") from None


def _read(path: Path, fields: tuple[str, ...], lists: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """Rows of ``fields``, and of ``lists`` of text where they have any."""
    try:
        rows = json.loads(read_regular(path, _LARGEST))
        right = all(
            set(row) - set(lists) == set(fields)
            and all(isinstance(row[name], _TYPES.get(name, str)) for name in fields)
            and all(isinstance(row.get(name, []), list) and all(isinstance(text, str) for text in row.get(name, [])) for name in lists)
            for row in rows
        )
    except FileNotFoundError:
        return []
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror or error}): {_ADVICE}") from None
    except (ValueError, TypeError, RecursionError):
        right = False
    if not right:
        raise _damaged(path)
    return list(rows)


def _damaged(path: Path) -> UsageError:
    return UsageError(f"{path} is damaged; move it away, and sign again what you trade (arbtui assets sign)")
