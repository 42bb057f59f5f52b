"""``supervise``: runs a profile's engine headless and starts it again when it has died."""

from collections.abc import Sequence
from functools import partial

from arbtui.model.errors import UsageError
from arbtui.model.halt import read_flag
from arbtui.settings.profile import Settings
from arbtui.settings.state import keep_private, make_private, profile_folder, state_root


def supervise(settings: Settings, given: Sequence[str], confirm: str | None, state_dir: str | None) -> int:
    """Supervise the engine of ``settings`` until it ends in order or stays down; its exit code.

    Args:
        settings: looked at already, so that a mistake is told here.
        given: the session's flags, as they were given.
        confirm: the profile's name, typed: it arms the first start only.
        state_dir: the flag.

    Raises:
        UsageError: the state folder is not usable, or a kill stands.
        AlreadyRunning: another supervisor runs this profile.
    """
    from arbtui.runtime.startup import halted
    from arbtui.runtime.supervisor.post import tell_down
    from arbtui.runtime.supervisor.supervisor import Supervisor, engine_command
    from arbtui.settings.lock import supervisor_lock
    from arbtui.settings.trust import refuse_untrusted

    keep_private()
    root = state_root(state_dir)
    folder = profile_folder(root, settings.name)
    refuse_untrusted(root, folder)
    make_private(folder)
    cause = read_flag(folder)
    if cause is not None:
        raise UsageError(halted(settings.name, cause))
    first = [*given, "--confirm", confirm] if confirm is not None else [*given, "--unattended"]
    again = [*given, "--unattended"]
    with supervisor_lock(make_private(folder / "supervisor")):
        down = partial(tell_down, settings, root)
        return Supervisor(settings.name, folder, engine_command(first), engine_command(again), down).run()
