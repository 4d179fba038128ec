"""Files for the eyes of their owner alone: what they hold is a secret, or tells of people."""

import os
from pathlib import Path
from typing import BinaryIO


def new_file(path: Path) -> BinaryIO:
    """A new file to write, whatever the umask is. Raises FileExistsError, OSError."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb")
