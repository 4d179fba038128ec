"""The shapes that secrets and personal data have in a text. Pure; RE2 looks at each byte once, whatever the text, so
that neither hostile texts nor patterns of operators can make it slow.

What it hides in events is kept hidden for ever, so a word like "token: 4096" has to stay; a value is taken for a secret
by the company it keeps (a scheme, a prefix that a vendor gives, a name before it) and by its length.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple, Protocol, cast

import re2

from llm_incident_manager.domain import secret_names
from llm_incident_manager.domain.secret_names import is_no_number

HIDDEN = "[hidden]"
_HIDDEN = HIDDEN.encode()

LONGEST_PATTERN = 1_000
"""Characters of a pattern that an operator gives."""
_SECRET = 1
"""The group of a whole pattern."""
_MOST_MEMORY = 64 * 1024 * 1024


class BadPattern(ValueError):
    """A pattern that RE2 does not take."""


class _Match(Protocol):
    def span(self, group: int) -> tuple[int, int]: ...


class _Pattern(Protocol):
    def search(self, text: bytes | str) -> object: ...

    def finditer(self, text: bytes) -> Iterator[_Match]: ...


class _Set(Protocol):
    def Match(self, text: bytes) -> list[int] | None: ...  # noqa: N802  # RE2's name


class Shape(NamedTuple):
    """`before` is left as it is, `secret` hidden: both RE2. `really` looks at what was found, where a pattern cannot
    say it all."""

    before: str
    secret: str
    really: Callable[[str], bool] = bool


def _is_no_port(value: str) -> bool:
    """What stands between :// and @ has a slash: a password, not a port and a path (nor an address of IPv6)."""
    port = value.partition(":")[2].partition("/")[0]
    return not (value.startswith("[") or port.isdecimal())


def _is_not_hidden(value: str) -> bool:
    """Not what another shape has left."""
    return not value.startswith(HIDDEN)


def _is_card(value: str) -> bool:
    """Whether the check digit of a payment card is right (ISO/IEC 7812-1, Luhn)."""
    digits = [int(character) for character in value if character.isdecimal()]
    doubled = sum(sum(divmod(2 * digit, 10)) for digit in digits[-2::-2])
    return 13 <= len(digits) <= 19 and (sum(digits[-1::-2]) + doubled) % 10 == 0


_START = r"(?:^|[^A-Za-z0-9_-])"
_WORD_END = r"\b"
_ENDS = (_WORD_END, r"\B", "^", "$", r"\A", r"\z")
_VALUE = r"[^\s'\"&,;}\\]"

_PASSWORD = "(?:password|passwd|passphrase|pwd)"
_KEY = "(?:secret|token|(?:api|access|account|private|signing|routing|integration|app)[_ -]?key|credentials?)"
_AUTHORIZATION = "authorization"
_SIGNATURE = "(?:sig|signature)"
_IS = r"\\*['\"]?\s*[:=]\s*"
"""What stands between a name and its value, in JSON, Python, YAML, an assignment."""
_IN_DOUBLE = r"(?:[^\"\\\n]|\\+.)"
_IN_SINGLE = r"(?:[^'\\\n]|\\+.)"
_IN_ESCAPED = r"(?:[^\"\\]|\\{1,2}[^\"\\]|\\{3,}.)"
"""A character, or what stands for one, of JSON in a text of JSON."""


def _quoted(name: str, least: int, really: Callable[[str], bool] = bool) -> tuple[Shape, ...]:
    """The whole of a value in quotes, of this name."""
    return (
        Shape(rf"(?i:{name}{_IS})\"", rf"{_IN_DOUBLE}{{{least},}}", really),
        Shape(rf"(?i:{name}{_IS})'", rf"{_IN_SINGLE}{{{least},}}", really),
        Shape(rf"(?i:{name}{_IS})\\{{1,2}}\"", rf"{_IN_ESCAPED}{{{least},}}", really),
    )


SECRETS: tuple[Shape, ...] = (
    Shape("", r"-----BEGIN [A-Z0-9 ]+-----(?s:.*?)(?:-----END [A-Z0-9 ]+-----|\z)"),
    *_quoted(_AUTHORIZATION, 1),
    Shape(rf"\"(?i:[\w-]*{_AUTHORIZATION}\s*[:=]\s*)", rf"[^\s\"]{_IN_DOUBLE}*", _is_not_hidden),
    Shape(rf"'(?i:[\w-]*{_AUTHORIZATION}\s*[:=]\s*)", rf"[^\s']{_IN_SINGLE}*", _is_not_hidden),
    Shape(
        rf"(?i:{_AUTHORIZATION}{_IS}\\*)",
        r"(?:(?i:bearer|basic|token|api-?key|negotiate|ntlm)\s+[^\s'\"\\]{6,}|[^\s'\"\\][^\n]{5,})",
        _is_not_hidden,
    ),
    Shape(r"\b[A-Za-z][A-Za-z0-9+.-]{0,20}://", r"[^/\s'\"<>]+@"),
    Shape(r"\b[A-Za-z][A-Za-z0-9+.-]{0,20}://", r"[^/\s'\"<>@:]*:[^\s'\"<>]+@", _is_no_port),
    Shape(r"\bhooks\.slack\.com/", r"[^\s'\"<>]+"),
    Shape(r"\bdiscord(?:app)?\.com/api/webhooks/", r"[^\s'\"<>]+"),
    Shape(r"\.webhook\.office\.com/", r"[^\s'\"<>]+"),
    Shape(r"\bapi\.telegram\.org/bot", r"[^\s'\"<>/]+"),
    Shape(r"\bevents\.pagerduty\.com/integration/", r"[^\s'\"<>/]+"),
    Shape(r"(?i:\b(?:bearer|basic)\s+)", r"[\w.~+/-]{8,}=*"),
    Shape(_START, r"eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)*"),
    Shape(_START, r"(?:sk|rk|pk|gsk|pcsk|xai|pplx|whsec|lim)[-_][A-Za-z0-9_-]{16,}"),
    Shape(
        r"\b", r"(?:gh[opsur]_|github_pat_|hf_|npm_|pypi-|dop_v1_|r8_|lin_api_|shp[ac]t_|sq0[ac]tp-|hvs\.)[\w-]{20,}"
    ),
    Shape(r"\b", r"(?:glpat-|xox[abeoprs]-|ya29\.|dp\.pt\.|AGE-SECRET-KEY-1)[\w-]{10,}"),
    Shape(r"\b", r"(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bAIza[\w-]{30,}|\bSG\.[\w-]{16,}\.[\w-]{16,}|\b\d{8,10}:AA[\w-]{32,}"),
    Shape(r"(?i:\b(?:set-)?cookie\\*['\"]?\s*[:=]\s*\\*['\"]?)", r"[^\s'\"].*"),
    *_quoted(_PASSWORD, 1),
    *_quoted(_KEY, 6, is_no_number),
    Shape(rf"(?i:{_PASSWORD}{_IS}\\*['\"]?(?:basic |bearer )?)", rf"{_VALUE}+"),
    Shape(rf"(?i:(?:{_KEY}|{_SIGNATURE}){_IS}\\*['\"]?(?:basic |bearer )?)", rf"{_VALUE}{{6,}}", is_no_number),
)
"""Keys, tokens, PEM blocks, connection strings and URLs of webhooks."""

PERSONAL: tuple[Shape, ...] = (
    Shape("", r"\b[\w.+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+"),
    Shape("", r"\+\d{1,3}(?:[ .-]?\(?\d{1,4}\)?){2,5}"),
    Shape("", r"\(\d{3}\) ?\d{3}-\d{4}|\b\d{3}[-.]\d{3}[-.]\d{4}\b"),
    Shape("", r"\b\d{3}-\d{2}-\d{4}\b"),
    Shape("", r"\b\d(?:[ -]?\d){12,18}\b", _is_card),
)
"""Addresses of e-mail, telephone numbers, US social security numbers, payment cards."""

NONE: Mapping[str, str] = MappingProxyType({})


class Shapes:
    """What is hidden: secrets always, personal data when asked for, and what the operator's patterns match."""

    def __init__(self, *, personal: bool = False, custom: Mapping[str, str] = NONE) -> None:
        """`custom` are RE2 patterns by name, each hidden as a whole. Raises BadPattern naming the first bad one."""
        own = tuple(Shape("", _accepted(name, pattern)) for name, pattern in custom.items())
        shapes = (*SECRETS, *(PERSONAL if personal else ()), *own)
        self._shapes = tuple((_compiled(_whole(shape).encode()), shape.really) for shape in shapes)
        self._which = _set(f"{shape.before}(?:{shape.secret})" for shape in shapes)
        self._in_bytes = _compiled("|".join([*map(_anywhere, shapes), secret_names.IN_BYTES]).encode())
        self._looks_at_ends = any(end in shape.secret for shape in own for end in _ENDS)

    def maybe_in(self, data: bytes) -> bool:
        """Whether any text in a message of Protocol Buffers may have to be hidden, for its shape or its name; about
        3 µs for a KiB. False is certain. A pattern of the operator's that looks at where a text ends cannot be looked
        for in such bytes."""
        return self._looks_at_ends or self._in_bytes.search(data) is not None

    def hide(self, text: str) -> str:
        """The text with HIDDEN in place of what is hidden; the same text when there is nothing."""
        try:
            return self._hidden(text)
        except UnicodeEncodeError:  # half a pair of surrogates, which no UTF-8 has
            return self._hidden(text.encode("utf-8", "replace").decode())

    def _hidden(self, text: str) -> str:
        data = text.encode()  # what RE2 looks at: of a str it would count every character again
        found = self._which.Match(data)
        if found is None:
            return text
        for place in sorted(found):
            data = _without(data, *self._shapes[place])
        return data.decode()


def _anywhere(shape: Shape) -> str:
    """The shape whatever stands beside it: in a message that is a length or a tag, which may look like a letter."""
    before = "" if shape.before == _START else shape.before.replace(_WORD_END, "")
    return f"(?:{before}(?:{shape.secret.replace(_WORD_END, '')}))"


def _whole(shape: Shape) -> str:
    return f"(?:{shape.before})({shape.secret})"


def _without(data: bytes, pattern: _Pattern, really: Callable[[str], bool]) -> bytes:
    """The text with all that the pattern finds hidden."""
    pieces, end = [], 0
    for match in pattern.finditer(data):
        begin, over = match.span(_SECRET)
        secret = data[begin:over]
        if secret != _HIDDEN and really(secret.decode()):
            pieces += [data[end:begin], _HIDDEN, b"@" if secret.endswith(b"@") else b""]
            end = over
    return b"".join([*pieces, data[end:]])


def _accepted(name: str, pattern: str) -> str:
    if not 0 < len(pattern) <= LONGEST_PATTERN:
        raise BadPattern(f"{name}: give 1 to {LONGEST_PATTERN} characters")
    try:
        found = _compiled(pattern).search("")
    except re2.error as wrong:
        raise BadPattern(f"{name}: RE2 does not take it ({_said(wrong.args)})") from None
    if found is not None:
        raise BadPattern(f"{name}: it matches the empty text, and so everything")
    return pattern


def _said(facts: Iterable[object]) -> str:
    return ", ".join(fact.decode("utf-8", "replace") if isinstance(fact, bytes) else str(fact) for fact in facts)


def _compiled(pattern: str | bytes) -> _Pattern:
    return cast(_Pattern, re2.compile(pattern, _options()))


def _set(patterns: Iterable[str]) -> _Set:
    """Tells in one look which of several patterns are somewhere in a text: as cheap as to look for one."""
    made = re2.Set.SearchSet(_options())
    for pattern in patterns:
        made.Add(pattern)
    made.Compile()
    return cast(_Set, made)


def _options() -> re2.Options:
    options = re2.Options()
    options.max_mem = _MOST_MEMORY
    options.log_errors = False
    return options
