"""Looks for secrets in everything that is committed: `python -m tools.secret_scan`.

Kinds that have a form of their own are found by it, others by a name that promises a secret beside a value that looks
random. Test material is listed in ALLOWED with its reason; an entry that finds nothing any more is an error as well.
"""

import math
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from tools import shell

FORMS: Mapping[str, re.Pattern[str]] = {
    "private key": re.compile(r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----\s*[A-Za-z0-9+/=]{16}"),
    "aws key": re.compile(r"\b(?:AKIA|ASIA|AGPA|AROA)[0-9A-Z]{16}\b"),
    "github token": re.compile(r"\b(?:gh[opsur]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{60,})"),
    "slack token": re.compile(r"\bxox[abeoprs]-[A-Za-z0-9-]{20,}"),
    "slack webhook": re.compile(r"hooks\.slack\.com/services/T[A-Z0-9]{8,}/B[A-Z0-9]{8,}/[A-Za-z0-9]{20,}"),
    "google key": re.compile(r"\bAIza[A-Za-z0-9_-]{35}"),
    "stripe key": re.compile(r"\b[rs]k_live_[A-Za-z0-9]{20,}"),
    "model provider key": re.compile(r"\bsk-(?:ant-|proj-)?[A-Za-z0-9_-]{32,}"),
    "token": re.compile(r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{16,}"),
    "registry token": re.compile(r"\b(?:pypi-AgEI|npm_)[A-Za-z0-9_-]{30,}"),
    "address with a password": re.compile(
        r"\b[a-z][a-z0-9+]{2,}://[^\s:/@'\"{}<>$]+:(?P<value>[^\s:/@'\"{}<>$*]{8,})@"
    ),
    "named secret": re.compile(
        r"(?i)\b[\w.-]*(?:password|passwd|secret|token|api[_-]?key|pepper)[\w.-]*['\"]?\s*[:=]\s*"
        r"['\"](?P<value>[A-Za-z0-9+/_=.-]{20,})['\"]"
    ),
}
"""What secrets look like, by kind. A form with a `value` also wants it to look random."""

RANDOM_BITS = 3.5
"""Bits a character, from which on a value looks random: words and repeated letters have less."""

LARGEST = 2_000_000
"""Bytes of a file that is looked at; larger ones are built by programs."""

ALLOWED: Mapping[tuple[str, str], str] = {
    ("tests/support/tls/key.pem", "private key"): "of a certificate that only tests trust, for the loopback address",
}
"""File and kind, with the reason why it is no secret."""


class Hit(NamedTuple):
    """Something that looks like a secret. It is named, never shown."""

    file: str
    line: int
    kind: str

    def __str__(self) -> str:
        """For people."""
        return f"{self.file}:{self.line}: looks like a {self.kind}: take it out of the history, and change it"


def hits(file: str, text: str) -> Iterator[Hit]:
    """What looks like a secret in a text."""
    for kind, form in FORMS.items():
        for found in form.finditer(text):
            value = found.groupdict().get("value")
            if value is None or (_bits(value) >= RANDOM_BITS and any(letter.isdigit() for letter in value)):
                yield Hit(file, text.count("\n", 0, found.start()) + 1, kind)


def check(texts: Mapping[str, str], allowed: Mapping[tuple[str, str], str]) -> Sequence[str]:
    """What to tell people."""
    found = [hit for file, text in texts.items() for hit in hits(file, text)]
    wrong = [str(hit) for hit in found if not allowed.get((hit.file, hit.kind))]
    needed = {(hit.file, hit.kind) for hit in found}
    return wrong + [f"{file}: has no {kind} any more" for file, kind in allowed if (file, kind) not in needed]


def committed() -> Mapping[str, str]:
    """The texts of all tracked files, and of new ones that nothing ignores."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=shell.ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    files = [shell.ROOT / name for name in listed.split("\0") if name]
    kept = [path for path in files if path.is_file() and path.stat().st_size <= LARGEST]
    return {path.relative_to(shell.ROOT).as_posix(): path.read_bytes().decode("utf-8", "replace") for path in kept}


def main() -> int:
    """Exit code 1 when something looks like a secret."""
    texts = committed()
    wrong = check(texts, ALLOWED)
    for each in wrong:
        print(each, file=sys.stderr)
    if not wrong:
        print(f"secrets: none in {len(texts)} files, {len(ALLOWED)} exceptions with their reasons")
    return int(bool(wrong))


def _bits(text: str) -> float:
    """Shannon's entropy of a text, in bits a character."""
    counts = Counter(text).values()
    return -sum(count / len(text) * math.log2(count / len(text)) for count in counts)


if __name__ == "__main__":
    sys.exit(main())
