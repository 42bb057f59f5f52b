"""Settings: profiles, the options of a run, and the folders that state lives in.

This package imports nothing by itself, so that ``arbtui kill`` can find its folder without loading anything heavy:
:mod:`~arbtui.settings.state` and :mod:`~arbtui.settings.lock` are standard library only; :mod:`~arbtui.settings.load`
reads a profile into a :class:`~arbtui.settings.profile.Settings`; :mod:`~arbtui.settings.options` is what the command
line hands to the runtime.
"""
