"""Which faults there are: `@fault` registers a driver, `later` a row whose subject does not exist yet."""

import importlib
import pkgutil
from collections.abc import Callable, Collection, Sequence

from chaos import faults
from chaos.row import Driver, Fault

_FAULTS: dict[tuple[int, str], Fault] = {}


def fault(number: int, title: str, *, limit: str, part: str = "") -> Callable[[Driver], Driver]:
    """Registers the decorated driver. `limit` says in words what has to hold; the figures carry the numbers."""

    def register(driver: Driver) -> Driver:
        _add(Fault(number, title, limit, part, driver))
        return driver

    return register


def later(number: int, title: str, *, limit: str, why: str, part: str = "") -> None:
    """Registers a row that cannot be driven yet. `why` names what has to come first."""
    _add(Fault(number, title, limit, part, later=why))


def chosen(numbers: Collection[int] = ()) -> Sequence[Fault]:
    """The faults of these numbers in order, all of them when none is named. Raises LookupError for unknown ones."""
    for module in pkgutil.iter_modules(faults.__path__):
        importlib.import_module(f"{faults.__name__}.{module.name}")
    known = {number for number, _ in _FAULTS}
    if unknown := set(numbers) - known:
        named = ", ".join(map(str, sorted(unknown)))
        raise LookupError(f"no such fault: {named}; there are {', '.join(map(str, sorted(known)))}")
    return [each for _, each in sorted(_FAULTS.items()) if not numbers or each.number in numbers]


def _add(new: Fault) -> None:
    if (new.number, new.part) in _FAULTS:
        raise ValueError(f"fault {new.name} is registered twice: give one of them another part")
    _FAULTS[new.number, new.part] = new
