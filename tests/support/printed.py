"""Runs what documents print: shell commands as a shell does, Python programs as they stand."""

import asyncio
import json
import os
import shlex
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import aiohttp

from tools import shell

SECONDS = 20.0
_STATUS = "\nHTTP status "


@dataclass(frozen=True)
class Outcome:
    """What a command printed as JSON documents, beside what it said on standard error and its HTTP status."""

    documents: list[Any]
    errors: str
    code: int
    status: int = 0


async def run(command: str) -> Outcome:
    """Runs a command to its end."""
    process = await _start(command)
    async with asyncio.timeout(SECONDS):
        out, err = await process.communicate()
    assert process.returncode is not None
    return Outcome(documents(out.decode()), err.decode(), process.returncode)


async def curl(command: str) -> Outcome:
    """Runs a curl command. Where there is no curl, what it would send is sent without it."""
    if shutil.which("curl") is None:
        return await without_curl(command)
    process = await _start(f"{command} -w '{_STATUS}%{{http_code}}'")
    async with asyncio.timeout(SECONDS):
        out, err = await process.communicate()
    text, _, status = out.decode().rpartition(_STATUS)
    assert process.returncode is not None
    return Outcome(documents(text), err.decode(), process.returncode, int(status))


async def without_curl(command: str) -> Outcome:
    """Sends what a curl command of the documents sends."""
    verb, url, body, pairs = "GET", "", None, []
    words = iter(shlex.split(command.replace("\\\n", " "))[1:])
    for word in words:
        match word:
            case "-X":
                verb = next(words)
            case "-d":
                body, verb = next(words), "POST" if verb == "GET" else verb
            case "--data-urlencode":
                pairs.append(next(words).partition("=")[::2])
            case "-G" | "-sS" | "-sSN":
                pass
            case _:
                url = f"http://{word}"
    asked = f"{url}?{urlencode(pairs)}" if pairs else url
    async with aiohttp.request(verb, asked, data=body) as reply:
        return Outcome(documents(await reply.text()), "", 0, reply.status)


async def stream(command: str) -> AsyncIterator[Any]:
    """The JSON documents of a command that does not end by itself; it is ended with the iteration."""
    process = await _start(command)
    assert process.stdout is not None
    text = ""
    try:
        async with asyncio.timeout(SECONDS):
            while chunk := await process.stdout.read(65_536):
                text += chunk.decode()
                found, text = _complete(text)
                for document in found:
                    yield document
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


async def python(program: str) -> list[Any]:
    """What a program prints, as the objects it gives to print. Its last line, which would run it, is left out."""
    printed: list[Any] = []
    names: dict[str, Any] = {"print": printed.append}
    head, _, _ = program.rpartition("asyncio.run(main())")
    exec(compile(head, "<example>", "exec"), names)  # noqa: S102 - a program of this repository
    async with asyncio.timeout(SECONDS):
        await names["main"]()
    return printed


def documents(text: str) -> list[Any]:
    """All JSON documents of a text that holds nothing else."""
    found, rest = _complete(text)
    assert not rest.strip(), rest
    return found


def _complete(text: str) -> tuple[list[Any], str]:
    """The JSON documents that a text begins with, and what follows the last of them."""
    decoder, place = json.JSONDecoder(), 0
    found: list[Any] = []
    while True:
        start = place + len(text[place:]) - len(text[place:].lstrip())
        try:
            document, place = decoder.raw_decode(text, start)
        except json.JSONDecodeError:
            return found, text[place:]
        found.append(document)


async def _start(command: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_shell(
        command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PATH": shell.SEARCH},
        start_new_session=True,
    )
