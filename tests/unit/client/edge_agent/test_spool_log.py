"""The spool on disk: what was accepted is read again, once, in order, whatever the disk or the process does."""

import errno
import itertools
import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from llm_incident_client.edge_agent import disk
from llm_incident_client.edge_agent.spool import Limits, Priority, SpoolBroken, SpoolInUse, SpoolLog, records

LOW, NORMAL, HIGH = Priority
SMALL = Limits(max_bytes=64 * 1024, max_events=160)  # ten events a file, sixteen files
ROOMY = Limits(max_bytes=4 * 1024 * 1024, max_events=100_000)


@pytest.fixture(autouse=True)
def disk_that_needs_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """When files are written is tested here, not that the kernel keeps its word: a busy disk takes 20 ms each time."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    monkeypatch.setattr(os, "fdatasync", lambda descriptor: None)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "spool"


@pytest.fixture
def log(folder: Path) -> Iterator[SpoolLog]:
    opened = SpoolLog(folder, SMALL)
    yield opened
    opened.close()


def append(log: SpoolLog, *names: str, priority: Priority = NORMAL) -> int:
    """How many of them were accepted."""
    return sum(log.append([(priority, name.encode()) for name in names]))


def read(log: SpoolLog, most: int = 1_000_000) -> list[str]:
    return [record.payload.decode() for record in log.read(most, 1 << 40)]


def reopened(log: SpoolLog, limits: Limits = SMALL) -> SpoolLog:
    log.close()
    return SpoolLog(log._folder, limits)


def names(count: int, prefix: str = "e") -> list[str]:
    return [f"{prefix}{number}" for number in range(count)]


def add_up(log: SpoolLog) -> bool:
    state = log.state
    settled, dropped = sum(state.results.values()), sum(state.dropped.values())
    return log.accepted == log.waiting + settled + dropped + state.lost


def test_events_come_out_in_the_order_in_which_they_came_in_whatever_their_priority(folder: Path) -> None:
    log = SpoolLog(folder, ROOMY)
    chance, sent = random.Random(7), names(3_000)
    for place in range(0, len(sent), 37):
        assert all(log.append([(chance.choice(list(Priority)), name.encode()) for name in sent[place : place + 37]]))
    assert read(log, 1_234) + read(log) == sent
    log = reopened(log, ROOMY)
    assert read(log) == sent
    log.close()


def test_what_is_settled_is_gone_and_stays_gone(log: SpoolLog) -> None:
    append(log, *names(60))
    assert read(log, 45) == names(45)
    log.settle(40, 40, {"NEW": 40})
    log = reopened(log)
    assert (log.waiting, log.state.sequence, log.state.results) == (20, 40, {"NEW": 40})
    assert read(log) == names(60)[40:]
    assert add_up(log)
    assert len(list(log._folder.glob("normal-*.seg"))) == 2
    log.close()


def test_a_rewind_reads_again_what_is_not_settled(log: SpoolLog) -> None:
    append(log, *names(30))
    read(log)
    log.settle(12, 12, {"NEW": 12})
    log.rewind()
    append(log, "later")
    assert read(log) == [*names(30)[12:], "later"]


def test_a_reader_that_has_caught_up_reads_what_comes_then(log: SpoolLog) -> None:
    for number in range(25):
        append(log, f"n{number}", priority=NORMAL)
        append(log, f"h{number}", priority=HIGH)
        assert read(log) == [f"n{number}", f"h{number}"]
    assert read(log) == []


def test_wherever_a_crash_cuts_the_last_file_what_is_whole_is_kept(folder: Path) -> None:
    log = SpoolLog(folder, SMALL)
    append(log, *names(5))
    log.close()
    (path,) = folder.glob("*.seg")
    whole = path.read_bytes()
    counts = []
    for size in range(len(whole), -1, -1):
        path.write_bytes(whole[:size])
        log = SpoolLog(folder, SMALL)
        found = read(log)
        assert found == names(len(found))
        counts.append(len(found))
        append(log, "after")
        assert read(log) == ["after"]
        log.close()
        for one in folder.glob("*"):
            one.unlink()
    assert counts == sorted(counts, reverse=True)
    assert set(counts) == {0, 1, 2, 3, 4, 5}


@pytest.mark.parametrize("place", range(0, 120, 7))
def test_a_byte_that_changed_on_the_disk_never_comes_out_as_an_event(folder: Path, place: int) -> None:
    log = SpoolLog(folder, SMALL)
    append(log, *names(5))
    log.close()
    (path,) = folder.glob("*.seg")
    data = bytearray(path.read_bytes())
    place %= len(data)
    data[place] ^= 0x40
    path.write_bytes(data)
    log = SpoolLog(folder, SMALL)
    found = read(log)
    assert found == names(len(found))
    assert (len(found) == 5) == (place < records.HEAD_BYTES)  # the head can be told from the name
    log.close()


def test_damage_within_is_counted_to_the_event_and_the_manager_is_asked_where_to_go_on(folder: Path) -> None:
    log = SpoolLog(folder, SMALL)
    append(log, *names(30))
    read(log)
    log.settle(3, 103, {"NEW": 3})
    log.close()
    _, second, _ = sorted(folder.glob("*.seg"))
    data = bytearray(second.read_bytes())
    data[-1] ^= 1
    data[len(data) // 2] ^= 1
    second.write_bytes(data)
    for _ in range(2):  # it is found once
        log = SpoolLog(folder, SMALL)
        left = read(log)
        assert left[:7] == names(30)[3:10]
        assert left[-10:] == names(30)[20:]
        assert log.state.lost == 27 - len(left) > 0
        assert log.state.sequence is None
        assert add_up(log)
        log.close()


def test_a_full_spool_gives_up_the_oldest_of_the_lowest_priority_and_counts_them(log: SpoolLog) -> None:
    append(log, *names(80, "normal"))
    append(log, *names(50, "low"), priority=LOW)
    append(log, *names(30, "high"), priority=HIGH)
    assert (log.waiting, log.state.given_up) == (160, 0)
    assert append(log, *names(20, "more"), priority=HIGH) == 20
    assert log.state.dropped == {"LOW": 20}
    left = read(log)
    assert [one for one in left if one.startswith("low")] == names(50, "low")[20:]
    assert len(left) == 160
    assert add_up(log)


def test_a_newcomer_is_refused_when_everything_matters_more(log: SpoolLog) -> None:
    append(log, *names(160), priority=HIGH)
    assert append(log, "late", priority=NORMAL) == 0
    assert log.state.refused == {"NORMAL": 1}
    assert append(log, "high", priority=HIGH) == 1
    assert log.state.dropped == {"HIGH": 10}
    assert read(log) == [*names(160)[10:], "high"]
    assert add_up(log)


def test_the_bound_in_bytes_holds_on_the_disk(folder: Path) -> None:
    log = SpoolLog(folder, Limits(max_bytes=256 * 1024, max_events=1_000_000))
    for number in range(600):
        append(log, f"{number:04d}" + "x" * 1_000)
    on_disk = sum(path.stat().st_size for path in folder.glob("*.seg"))
    assert 200 * 1024 < on_disk == log.size <= 256 * 1024
    left = read(log)
    assert [int(one[:4]) for one in left] == list(range(600 - len(left), 600))
    assert log.state.dropped == {"NORMAL": 600 - len(left)}
    assert append(log, "y" * 20_000) == 0  # larger than a file
    log.close()


def test_what_may_have_been_sent_is_not_given_up_even_by_the_next_process(log: SpoolLog) -> None:
    append(log, *names(100), priority=LOW)
    read(log, 35)
    log = reopened(log)
    append(log, *names(80, "high"), priority=HIGH)
    left = read(log)
    assert left[:40] == names(40)  # the file of the 35th event has five more
    assert left[40:60] == names(100)[60:80]
    assert log.state.dropped == {"LOW": 20}
    log.close()


def test_ordinals_and_counts_go_on_after_everything_was_given_up(log: SpoolLog) -> None:
    append(log, *names(5), priority=LOW)
    append(log, *names(160, "high"), priority=HIGH)
    assert log.state.dropped == {"LOW": 5}
    log = reopened(log)
    assert (log.accepted, log.waiting) == (165, 160)
    assert add_up(log)
    log.close()


@pytest.mark.parametrize("fails_at", range(6))
def test_a_full_disk_refuses_events_and_loses_none_that_it_took(
    folder: Path, fails_at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = SpoolLog(folder, SMALL)
    append(log, *names(8))
    real, calls = disk.write_at, itertools.count()

    def full(descriptor: int, data: bytes, offset: int) -> None:
        if next(calls) >= fails_at:
            real(descriptor, data[: len(data) // 2], offset)
            raise OSError(errno.ENOSPC, "no space left on device")
        real(descriptor, data, offset)

    monkeypatch.setattr(disk, "write_at", full)
    kept = log.append([(NORMAL, name.encode()) for name in names(25, "more")])
    monkeypatch.undo()
    taken = sum(kept)
    assert kept == [True] * taken + [False] * (25 - taken)
    assert sum(log.state.refused.values()) == 25 - taken
    assert append(log, "after") == 1
    expected = [*names(8), *names(taken, "more"), "after"]
    assert read(log) == expected
    log = reopened(log)
    assert read(log) == expected
    assert add_up(log)
    log.close()


def test_after_a_failed_fsync_nothing_more_is_accepted(log: SpoolLog, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(descriptor: int) -> None:
        raise OSError(errno.EIO, "input/output error")

    append(log, "before")
    monkeypatch.setattr(os, "fdatasync", broken)
    with pytest.raises(SpoolBroken):
        append(log, "lost")


def test_a_second_process_is_told_to_use_another_folder(log: SpoolLog, folder: Path) -> None:
    with pytest.raises(SpoolInUse, match="a folder of its own"):
        SpoolLog(folder, SMALL)


@pytest.mark.parametrize("seed", range(5))
def test_any_history_delivers_what_was_accepted_and_not_given_up_once_and_in_order(tmp_path: Path, seed: int) -> None:
    chance, folder = random.Random(seed), tmp_path / str(seed)
    log = SpoolLog(folder, SMALL)
    numbers = itertools.count()
    accepted: list[str] = []
    settled: list[str] = []
    handed: list[str] = []
    for _ in range(150):
        match chance.randrange(6):
            case 0 | 1 | 2:
                batch = [
                    (chance.choice(list(Priority)), f"e{next(numbers)}".encode()) for _ in range(chance.randrange(30))
                ]
                kept = log.append(batch)
                accepted += [payload.decode() for (_, payload), durable in zip(batch, kept, strict=True) if durable]
            case 3:
                handed += read(log, chance.randrange(1, 60))
            case 4:
                count = chance.randrange(len(handed) + 1)
                log.settle(count, len(settled) + count, {"NEW": count})
                settled += handed[:count]
                del handed[:count]
            case 5:
                log = reopened(log)
                handed = []
        assert add_up(log)
        assert log.waiting <= SMALL.max_events
    log = reopened(log)
    delivered = settled + read(log)
    places = {name: place for place, name in enumerate(accepted)}
    assert [places[name] for name in delivered] == sorted({places[name] for name in delivered})
    assert len(accepted) - len(delivered) == sum(log.state.dropped.values()) > 0
    log.close()
