"""Files that survive a power cut: what has returned is on the disk, under its name."""

import os
from pathlib import Path


def write_at(descriptor: int, data: bytes, offset: int) -> None:
    """Writes all of it. Raises OSError."""
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, offset)
        view = view[written:]
        offset += written


def sync_folder(folder: Path) -> None:
    """Makes names that were created, renamed or removed in the folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace(path: Path, data: bytes) -> None:
    """Puts a file in the place of another: whoever reads it sees the old or the new one, whatever happens."""
    beside = path.with_name(f".{path.name}.new")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        write_at(descriptor, data, 0)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    beside.replace(path)
    sync_folder(path.parent)
