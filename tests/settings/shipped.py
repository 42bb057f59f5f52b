"""The profiles that come with the program, by name: as many as there are files."""

from arbtui.settings.locations import shipped_profiles

NAMES = sorted(path.stem for path in shipped_profiles().glob("*.toml"))
LIST = ", ".join(NAMES)  #: as messages list them
