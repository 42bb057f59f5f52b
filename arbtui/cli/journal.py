"""``journal``: whether a journal is whole; a backup of it that is; its tables made anew from its events."""

import json
from dataclasses import asdict
from pathlib import Path
from time import perf_counter

from arbtui.cli.place import Place
from arbtui.model.errors import UsageError
from arbtui.settings.lock import ProfileLock
from arbtui.settings.output import tell

VERBS = ("verify", "backup", "rebuild")


def journal(profile: str, verb: str, to: str | None, keep: int | None, mode: str | None, as_json: bool, state: str | None) -> int:
    """Do ``verb`` with the profile's journal; 0 when it is whole, or done.

    Raises:
        UsageError: no such verb, no journal, an engine that runs, or damage: what, where, and what to do.
    """
    if verb not in VERBS:
        raise UsageError(f"journal {verb}: expected {', '.join(VERBS)}")
    if verb != "backup" and (to is not None or keep is not None):
        raise UsageError(f"journal {verb} takes no file and no --keep; only journal backup does")
    if keep is not None and (keep < 1 or to is not None):
        raise UsageError("--keep N: at least 1, and only for backups in the journal's own folder (without a FILE)")
    place = Place(profile, mode, state)
    if verb == "backup":
        return _back_up(place, to, keep, as_json)
    return _verify(place, as_json) if verb == "verify" else _rebuild(place, as_json)


def _verify(place: Place, as_json: bool) -> int:
    from arbtui.portfolio.verification import verify

    began = perf_counter()
    found = verify(place.journal)
    size = place.journal.stat().st_size
    facts = {"profile": place.name, "mode": place.mode, "path": str(place.journal), "bytes": size, **asdict(found)}
    if as_json:
        tell(json.dumps(facts | {"seconds": round(perf_counter() - began, 3)}, indent=2) + "\n")
    else:
        hashed = "no hashes (an earlier format: the next start adds them)" if not found.last_hash else f"last hash {found.last_hash[:16]}"
        snapshots = f"{len(found.snapshots)} snapshots equal to a fold"
        beside = f" and {found.archives} archives" if found.archives else ""
        tell(f"{place.name} {place.mode}: whole: {found.events:,} events, {hashed}, {snapshots}, {size / 1e6:,.1f} MB{beside}\n")
    return 0


def _back_up(place: Place, to: str | None, keep: int | None, as_json: bool) -> int:
    from arbtui.journal.backup import back_up, remove_old

    done = back_up(place.journal, None if to is None else Path(to).expanduser())
    try:
        removed = remove_old(place.journal, keep) if keep is not None else []
    except UsageError as error:
        raise UsageError(f"{done.path} is made and whole, but {error}") from error
    if as_json:
        facts = {"profile": place.name, "mode": place.mode, "path": str(done.path), "bytes": done.bytes, "events": done.seq}
        facts["archives"] = done.archives
        tell(json.dumps(facts | {"last_hash": done.last_hash, "removed": [str(path) for path in removed]}, indent=2) + "\n")
    else:
        gone = f"; {len(removed)} older removed" if removed else ""
        beside = f", {done.archives} archives beside it" if done.archives else ""
        tell(f"{place.name} {place.mode}: {done.seq:,} events, {done.bytes / 1e6:,.1f} MB, whole, in {done.path}{beside}{gone}\n")
    return 0


def _rebuild(place: Place, as_json: bool) -> int:
    from arbtui.portfolio.projections import rebuild

    with ProfileLock(place.folder):
        count = rebuild(place.journal)
    if as_json:
        tell(json.dumps({"profile": place.name, "mode": place.mode, "path": str(place.journal), "events": count}, indent=2) + "\n")
    else:
        tell(f"{place.name} {place.mode}: every table made anew from {count:,} events\n")
    return 0
