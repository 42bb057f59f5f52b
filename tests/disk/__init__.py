"""A disk that loses power, and one that fails: what SQLite and our own file operations write is logged, and played back in part."""
