"""How a command ends when it fails: an exit code scripts can rely on, and a sentence with its reason and its remedy."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum

import typer

from llm_incident_manager.cli.terminal import safe


class Exit(IntEnum):
    """Exit codes."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NOT_FOUND = 3
    REFUSED = 4
    UNREACHABLE = 5
    INTERRUPTED = 130


class BadUsage(Exception):
    """What was typed cannot be meant; the message says what would be."""


class Refused(Exception):
    """Somebody other than the server refused, or did not answer; `code` is the exit code."""

    def __init__(self, message: str, code: Exit = Exit.FAILED) -> None:
        """The message is for people."""
        super().__init__(message)
        self.code = code


_START = "is it running? Start it with `llm-incident-manager serve`, or name another with --address or LLM_IM_ADDRESS"
_REMEDIES = {
    "STALE_ETAG": "read it again with `incident show`, then repeat the command with the new etag, or without --etag",
    "REQUEST_ID_REUSED": "leave the request id away, or take a new one",
    "PRODUCER_FENCED": "another stream uses this producer id: end that one, or give --producer-id",
    "STORE_UNAVAILABLE": "look at the server's log, then repeat",
    "UNAUTHENTICATED": "give the context an API key or a certificate (`context add`), or get a token with `login`",
    "INTERNAL": "this is a defect of the server: its log tells more under the request id",
}


@dataclass
class Told:
    """What the message may need to know: the address of the server, once that is settled."""

    address: str = ""


@contextmanager
def reported(address: str = "") -> Iterator[Told]:
    """Turns what a command raises into one message on stderr and an exit code. Nothing ends as a traceback."""
    from llm_incident_manager.domain.errors import DomainError

    told = Told(address)
    try:
        yield told
    except KeyboardInterrupt:
        raise typer.Exit(Exit.INTERRUPTED) from None
    except BrokenPipeError:
        _leave_quietly()
    except BadUsage as wrong:
        _fail(str(wrong), Exit.USAGE)
    except Refused as refused:
        _fail(str(refused), refused.code)
    except OSError as wrong:
        _fail(f"{wrong.filename}: {wrong.strerror}" if wrong.filename else str(wrong), Exit.USAGE)
    except DomainError as refused:
        _fail(refused.message, Exit.FAILED, refused.reason, [violation.message for violation in refused.violations])
    except Exception as error:
        _tell_call(error, told.address)
        raise


def _tell_call(error: Exception, address: str) -> None:
    from llm_incident_client import errors

    if not isinstance(error, errors.IncidentManagerError):
        return
    code = exit_code(error)
    if code is Exit.UNREACHABLE:
        _fail(f"no answer from {address}: {error.message}", code, remedy=_START)
    fields = [violation.description for violation in error.violations]
    _fail(error.message, code, error.reason, fields)


def exit_code(error: Exception) -> Exit:
    """What a failed call means to a script."""
    from llm_incident_client import errors

    match error:
        case errors.NotFound():
            return Exit.NOT_FOUND
        case errors.IllegalTransition() | errors.StaleEtag() | errors.FingerprintTaken() | errors.RequestIdReused():
            return Exit.REFUSED
        case errors.Unavailable(reason="" | "DRAINING") | errors.DeadlineExceeded(reason=""):
            return Exit.UNREACHABLE
    return Exit.FAILED


def _fail(message: str, code: Exit, reason: str = "", details: list[str] | None = None, remedy: str = "") -> None:
    """Message, details and reason may be a server's words: no control code of theirs reaches the terminal."""
    print(f"error: {_shown(message)}" + (f" [{_shown(reason)}]" if reason else ""), file=sys.stderr)
    for detail in details or ():
        if detail != message:
            print(f"  {_shown(detail)}", file=sys.stderr)
    if remedy := remedy or _REMEDIES.get(reason, ""):
        print(f"hint: {remedy}", file=sys.stderr)
    raise typer.Exit(code) from None


def _shown(text: str) -> str:
    """The text as a terminal may have it; further lines are indented, so that none looks like one of ours."""
    return "\n  ".join(safe(line) for line in text.splitlines())


def _leave_quietly() -> None:
    """The reader of our output is gone, as in `| head`: the interpreter must not complain about it at its end."""
    sys.stdout = None  # the documented way to keep the final flush from failing
    raise typer.Exit(Exit.OK) from None
