"""The figures for people: a Markdown table with the databases side by side, and the settings they hold for."""

from collections.abc import Iterator, Mapping, Sequence

from bench.measuring import Line

_COLUMNS = ("events/s", "p95 ms", "server µs", "database µs", "of its floor", "MB")


def of(lines: Sequence[Line], settings: Mapping[str, Mapping[str, object]]) -> str:
    """One row a benchmark, and for each database the same columns. `settings` are the databases' own, by name."""
    return "\n".join(_rows(lines, settings))


def _rows(lines: Sequence[Line], settings: Mapping[str, Mapping[str, object]]) -> Iterator[str]:
    for store, own in settings.items():
        yield f"{store}: {', '.join(f'{name} {value}' for name, value in own.items())}"
    yield ""
    yield "| bench | " + " | ".join(f"{store} {column}" for store in settings for column in _COLUMNS) + " |"
    yield "| --- |" + " --- |" * (len(settings) * len(_COLUMNS))
    found = {(line["bench"], line["store"]): line for line in lines}
    for bench in dict.fromkeys(line["bench"] for line in lines):
        cells = [cell for store in settings for cell in _cells(found.get((bench, store), {}))]
        yield f"| `{bench}` | " + " | ".join(cells) + " |"


def _cells(line: Line) -> tuple[str, ...]:
    names = ("rate", "p95_ms", "cpu_us_per_event", "database_cpu_us_per_event", "ratio_to_floor", "rss_mb")
    return tuple("" if line.get(name) is None else f"{line[name]:,}" for name in names)
