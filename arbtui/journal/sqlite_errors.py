"""What Python's sqlite3 raises of a file that cannot be read."""

import sqlite3

#: SQLite's messages quote the file: where what is damaged is a name in it, the message may be no text, and Python fails to read that.
SQLITE_ERRORS = (sqlite3.Error, UnicodeDecodeError)
