"""The composition root: builds everything from a profile, runs it, and tells how it ended.

It imports nothing by itself: the guardian, the supervisor and the sandbox need a few modules of it, and not the whole session.
"""
