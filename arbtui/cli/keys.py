"""``keys set``, ``keys list`` and ``keys remove``: API keys in the keyring or in the encrypted file. No flag takes a secret."""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from arbtui.cli import flags
from arbtui.model.errors import UsageError
from arbtui.settings.output import say, tell

if TYPE_CHECKING:
    from arbtui.settings.key_file import KeyFile
    from arbtui.settings.key_ring import OsKeyring

keys_app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

Exchange = Annotated[str, typer.Argument(metavar="EXCHANGE", help="A venue; arbtui keys list names them.")]
Store = Annotated[
    str,
    typer.Option(
        "--store",
        metavar="keyring|file",
        help="The OS keyring; or a file under a passphrase, from which only arbtui guardian takes keys.",
    ),
]


@keys_app.callback(invoke_without_command=True)
def keys(context: typer.Context) -> None:
    """API keys of the venues: where they come from, and storing them."""
    if context.invoked_subcommand is None:
        raise UsageError("which? arbtui keys list, arbtui keys set EXCHANGE, or arbtui keys remove EXCHANGE")


@keys_app.command("set")
def set_keys(exchange: Exchange, store: Store = "keyring") -> int:
    """Store a venue's API key, its secret, and its passphrase where it has one; all are asked for and not shown.

    A key that may withdraw will be refused in live.

    Live reads keys from the environment or the keyring. It refuses the file of --store file, since no other process could open it
    when a kill must cancel orders; arbtui guardian takes keys from it, too. Without a keyring, use the environment.
    """
    from arbtui.exchanges.venues import VENUES
    from arbtui.settings.prompt import ask_secret
    from arbtui.settings.venue_keys import known_venue, listed, refusal, variables

    name = known_venue(exchange)
    _known_store(store)
    keyring, file = _stores()
    if store == "keyring" and not keyring.name:
        keyring.refuse_none(listed(variables(name)))  # before anything is typed
    if store == "file":
        say(
            f"{name}: live refuses keys from {file.path}, only arbtui guardian takes them; for live set "
            f"{listed(variables(name))} in the environment, or use --store keyring"
        )
    entered = []
    for what in (f"{'API key' if part == 'key' else part} of {name}" for part in VENUES[name].key_parts):
        value = ask_secret(what).get_secret_value()
        if complaint := refusal(value, what):
            raise UsageError(complaint)
        entered.append(value)
    if store == "keyring":
        keyring.write(name, *entered)
        tell(f"{name}: stored in the keyring {keyring.name}\n")
        return 0
    if file.exists:
        passphrase = ask_secret(f"passphrase of {file.path}")
        entries = file.open(passphrase)
    else:
        entries, passphrase = {}, ask_secret(f"new passphrase for {file.path}")
        if ask_secret("the same once more") != passphrase:
            raise UsageError("the two passphrases differ; nothing was stored")
    file.save({**entries, name: tuple(entered)}, passphrase)
    tell(f"{name}: stored in {file.path}; live does not take keys from there\n")
    return 0


@keys_app.command("list")
def list_keys(as_json: flags.AsJson = False) -> int:
    """Where each venue's keys come from, and the last 4 characters of the key. Never the secret, and no passphrase is asked for."""
    from arbtui.exchanges.venues import VENUES

    rows: list[dict[str, Any]] = [row for name in VENUES for row in _found(name)]
    if as_json:
        tell(json.dumps(rows, indent=2) + "\n")
        return 0
    for row in rows:
        unread = (row["source"] or "").startswith("file ")
        used = "" if row["used"] else "  (not used: live refuses it, a guardian takes it)" if unread else "  (not used: an earlier one is)"
        tell(f"{row['exchange']:<12} {row['key'] or '':<8} {row['source'] or 'none'}{used}\n")
    return 0


@keys_app.command("remove")
def remove_keys(exchange: Exchange, store: Store = "keyring") -> int:
    """Delete a venue's keys from a store. Revoke them at the venue, too."""
    from arbtui.settings.prompt import ask_secret
    from arbtui.settings.venue_keys import known_venue

    name = known_venue(exchange)
    _known_store(store)
    keyring, file = _stores()
    if store == "keyring":
        if keyring.name and keyring.read(name) is None:
            raise UsageError(f"the keyring {keyring.name} has no keys of {name}")
        keyring.remove(name)
    else:
        if name not in file.venues():
            raise UsageError(f"{file.path} has no keys of {name}")
        passphrase = ask_secret(f"passphrase of {file.path}")
        entries = file.open(passphrase)
        entries.pop(name, None)
        file.save(entries, passphrase)
    tell(f"{name}: removed from the {store}; revoke the key at the venue, too\n")
    return 0


def _known_store(store: str) -> None:
    if store not in ("keyring", "file"):
        raise UsageError(f"--store {store!r}: expected keyring or file")


def _stores() -> "tuple[OsKeyring, KeyFile]":
    from arbtui.settings.key_file import KeyFile, key_file
    from arbtui.settings.key_ring import OsKeyring

    return OsKeyring(), KeyFile(key_file())


def _found(exchange: str) -> list[dict[str, Any]]:
    """A venue's keys by store, in the order of use; one empty row when there are none. The file is never used."""
    from arbtui.exchanges.keys import tail
    from arbtui.settings.key_file import KeyFile, key_file
    from arbtui.settings.key_ring import OsKeyring
    from arbtui.settings.venue_keys import from_environment

    file = KeyFile(key_file())
    rows: list[dict[str, Any]] = []

    def add(key: str, source: str, error: str = "", *, usable: bool = True) -> None:
        used = usable and not rows
        rows.append({"exchange": exchange, "source": source, "key": key, "used": used, **({"error": error} if error else {})})

    try:
        keys = from_environment(exchange)
        if keys is not None:
            add(keys.tail, keys.source)
    except UsageError as error:
        add("", f"environment: {error}", str(error))
    try:
        keyring = OsKeyring()
        found = keyring.read(exchange)
        if found is not None:
            add(tail(found[0]), f"keyring ({keyring.name})")
    except UsageError as error:
        add("", str(error), str(error))
    try:
        ends = file.venues()
        if exchange in ends:
            add(ends[exchange], f"file ({file.path})", usable=False)
    except UsageError as error:
        add("", str(error), str(error))
    return rows or [{"exchange": exchange, "source": None, "key": None, "used": True}]
