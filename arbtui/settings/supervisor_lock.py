"""One supervisor a profile: its lock, in the folder ``supervisor`` of the profile's. Standard library only."""

from arbtui.model.errors import AlreadyRunning
from arbtui.settings.lock import ProfileLock, holder


class SupervisorLock(ProfileLock):
    """Held for as long as a supervisor runs."""

    def acquire(self) -> None:
        """Take the lock and write our pid.

        Raises:
            AlreadyRunning: another supervisor holds it.
            UsageError: the file cannot be written.
        """
        try:
            super().acquire()
        except AlreadyRunning:
            pid = holder(self.path.parent)
            name = self.path.parent.parent.name
            raise AlreadyRunning(f"{name} is supervised already{f' (process {pid})' if pid else ''}; one is enough") from None
