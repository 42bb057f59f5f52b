"""``guardian``: a process of its own that watches a profile's engine; with ``--json``, what the one that runs says."""

import json
from typing import TYPE_CHECKING

from arbtui.cli.no_state import refuse_unknown
from arbtui.model.errors import UsageError
from arbtui.settings.output import tell
from arbtui.settings.state import existing_root, keep_private, make_private, profile_folder, profile_name

if TYPE_CHECKING:
    from pydantic import SecretStr


def print_guardian(profile: str, state_dir: str | None, as_json: bool) -> int:
    """Print what the guardian of ``profile`` says, or that none watches; 0 when one does, else 1.

    Raises:
        UsageError: no such profile.
    """
    from arbtui.settings.guardian_post import guardian_facts

    name = profile_name(profile)
    folder = profile_folder(existing_root(state_dir), name)
    refuse_unknown(profile, folder)
    facts = {"profile": name, **guardian_facts(folder)}
    tell(f"{json.dumps(facts, indent=2)}\n" if as_json else f"guardian of {name}: {facts['words']}\n")
    return 0 if facts["watches"] else 1


def watch(profile: str, state_dir: str | None) -> int:
    """Watch until a signal comes; the exit code of that.

    Raises:
        UsageError: the profile or its state folder is not usable, or the passphrase is wrong.
        AlreadyRunning: another guardian watches it.
    """
    from arbtui.runtime.guardian.guardian import Guardian
    from arbtui.settings.load import load_profile
    from arbtui.settings.own_keys import own_keys
    from arbtui.settings.prompt import ask_secret
    from arbtui.settings.trust import refuse_untrusted

    keep_private()
    settings = load_profile(profile, {"mode": "live"})
    root = existing_root(state_dir)
    folder = profile_folder(root, settings.name)
    refuse_untrusted(root, folder)
    make_private(folder)
    asked: list[str] = []

    def ask(what: str) -> "SecretStr":
        typed = ask_secret(what)
        asked.append(what)
        return typed

    keys, lacks = own_keys(settings, live=False, ask=ask)
    if asked and lacks:  # a person sits there, and may type it again
        raise UsageError(next(iter(lacks.values())))
    return Guardian(root, settings, keys, lacks).run()
