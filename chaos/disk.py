"""A disk that loses power or fails: a SQLite VFS of our own between the real server and the real file.

It forgets nothing by itself: reads and writes go to the real file. Beside that it knows of each file what was flushed,
and what was only written since. At a flush it can therefore lay down what a power cut at this very moment would have
left: the flushed part and, of what was not, nothing, some of it, or pieces, in any order. It also fails when told to.
"""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import apsw

SECTOR = 512
KEPT = (".db", "-wal", "-journal")
"""Files of which a power cut leaves something; the index of the log is memory that is shared, and made anew."""
MOST_IMAGES = 24
"""So many images may wait for whoever looks at them; at further flushes none is made."""
FAILURES: dict[str, Callable[[], apsw.Error]] = {
    "full": lambda: apsw.FullError("the disk is full"),
    "io": lambda: _io_error(apsw.SQLITE_IOERR_WRITE),
    "readonly": lambda: apsw.ReadOnlyError("the file system is read-only"),
    "fsync": lambda: _io_error(apsw.SQLITE_IOERR_FSYNC),
}


class Disk(apsw.VFS):
    """The VFS; becomes the default one of its process. `images`: where power cuts are laid down, if anywhere.
    `order`: a file that says which calls fail, while it exists."""

    def __init__(self, *, images: Path | None, order: Path | None, acks: Path | None, seed: str) -> None:
        """`acks` is a log whose length is noted with each image: what it holds by then must be in the image."""
        self.below = apsw.vfs_names()[0]
        super().__init__("chaos", self.below, makedefault=True)
        self.images = images
        self.order = order
        self.acks = acks
        self.chance = random.Random(seed)
        self.files: dict[str, Unflushed] = {}
        self.syncs = 0
        self._calls = 0
        self._armed = ""

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> "DiskFile":  # noqa: N802 - SQLite's name
        """Opens a file."""
        return DiskFile(self, name, flags)

    def xDelete(self, name: str, sync: bool) -> None:  # noqa: N802 - SQLite's
        """Deletes a file; for once that is taken for durable, as SQLite flushes the folder where it matters."""
        super().xDelete(name, sync)
        self.files.pop(name, None)

    def fail_if_told(self, call: str) -> None:
        """Raises what the order says for this call: "KIND CALL FIRST LAST", calls counted since the order came."""
        if self.order is None or not self.order.exists():
            return
        text = self.order.read_text("utf-8")
        if text != self._armed:
            self._armed, self._calls = text, 0
        kind, wanted, first, last = text.split()
        if call != wanted:
            return
        self._calls += 1
        if int(first) <= self._calls <= int(last):
            failure = FAILURES[kind]()
            raise failure

    def flushing(self, flushed: str) -> None:
        """Lays down what a power cut now, before the flush is done, would leave."""
        self.syncs += 1
        if self.images is None or len(list(self.images.iterdir())) >= MOST_IMAGES:
            return
        known = self.acks.stat().st_size if self.acks is not None else 0
        made = self.images / f".{self.syncs:06}"
        made.mkdir()
        how = self.chance.choice(("nothing", "some", "pieces", "all"))
        for name, file in self.files.items():
            (made / Path(name).name).write_bytes(file.after_power_cut(how, self.chance))
        (made / "known").write_text(str(known), "utf-8")
        (made / "flushed").write_text(flushed, "utf-8")
        made.rename(self.images / f"{self.syncs:06}-{how}")


class Unflushed:
    """One file as the disk has it for sure, and the calls since its last flush."""

    def __init__(self, content: bytes) -> None:
        """The file as it was when it was opened."""
        self._sure = bytearray(content)
        self._since: list[tuple[int, bytes | None]] = []

    def wrote(self, offset: int, data: bytes) -> None:
        """A write that nobody has flushed."""
        self._since.append((offset, data))

    def cut(self, size: int) -> None:
        """A truncation that nobody has flushed."""
        self._since.append((size, None))

    def flushed(self) -> None:
        """Everything so far is on the disk."""
        for call in self._since:
            _apply(self._sure, *call)
        self._since.clear()

    def after_power_cut(self, how: str, chance: random.Random) -> bytes:
        """What the disk has after a power cut now."""
        content = bytearray(self._sure)
        calls = (
            [] if how == "nothing" else self._since if how == "all" else chance.sample(self._since, len(self._since))
        )
        for offset, data in calls:
            if how == "all" or chance.random() < 0.5:
                _apply(content, offset, data)
            elif how == "pieces" and data is not None:
                for start in range(0, len(data), SECTOR):
                    if chance.random() < 0.5:
                        _apply(content, offset + start, data[start : start + SECTOR])
        return bytes(content)


class DiskFile(apsw.VFSFile):
    """A file on it."""

    def __init__(self, disk: Disk, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        """As xOpen."""
        super().__init__(disk.below, name, flags)
        self._disk = disk
        self._path = path = name.filename() if isinstance(name, apsw.URIFilename) else name or ""
        self._file: Unflushed | None = None
        if path.endswith(KEPT):
            known = disk.files.get(path)
            self._file = known or Unflushed(Path(path).read_bytes() if Path(path).exists() else b"")
            disk.files[path] = self._file

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - SQLite's name
        """Writes through, and remembers."""
        self._disk.fail_if_told("write")
        super().xWrite(data, offset)
        if self._file is not None:
            self._file.wrote(offset, bytes(data))

    def xTruncate(self, size: int) -> None:  # noqa: N802 - SQLite's name
        """Cuts the file, and remembers."""
        self._disk.fail_if_told("write")
        super().xTruncate(size)
        if self._file is not None:
            self._file.cut(size)

    def xSync(self, flags: int) -> None:  # noqa: N802 - SQLite's name
        """Flushes, unless the power goes or the disk fails."""
        self._disk.fail_if_told("sync")
        if self._file is not None:
            self._disk.flushing(self._path)
        super().xSync(flags)
        if self._file is not None:
            self._file.flushed()


def _apply(content: bytearray, offset: int, data: bytes | None) -> None:
    if data is None:
        del content[offset:]
        return
    if len(content) < offset:
        content.extend(bytes(offset - len(content)))
    content[offset : offset + len(data)] = data


def _io_error(extended: int) -> apsw.Error:
    error: Any = apsw.IOError("the disk fails")
    error.extendedresult = extended
    found: apsw.Error = error
    return found
