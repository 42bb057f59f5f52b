"""Who sits at the keyboard. Standard library only."""

import getpass
import os


def person() -> str:
    """The name of the user that runs this process; ``uid N`` where no name is known."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user without an entry in the user database, as in a container
        return f"uid {os.getuid()}"
