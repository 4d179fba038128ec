"""Hides secrets in what is about to be logged, by the name of a field and by the shape of a text. Pure.

It errs on the side of hiding, and bounds depth, length and number of items. It cannot know a secret that has neither
a telling name nor a telling shape, so nothing is logged in the hope that this module catches it.
"""

import re
from collections.abc import Iterable, Mapping
from enum import Enum
from functools import lru_cache

HIDDEN = "[hidden]"

_MOST_DEPTH = 6
_MOST_ITEMS = 256
_MOST_TEXT = 8_192
_MOST_REMEMBERED = 4_096
_MOST_INTEGER = 2**63 - 1

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SECRET_NAME = re.compile(
    r"(?:^|_)(?:secrets?|token|password|passwd|passphrase|pwd|authorization|credentials?|cookie|dsn|jwt"
    r"|(?:api|access|private|signing|encryption|integration)_?key|(?:webhook|database|redis)_?url|connection_?string)(?:_|$)"
)

# Cheap to look for in the lower-case text: without any of them no shape below can match. No shape looks at a run of
# letters more than once, so that hostile text costs no more than its length.
_HINTS = (
    *("@", "-----begin", "hooks.", "webhook", "bearer", "basic", "password", "passwd", "pwd", "secret", "token", "key"),
    *("authorization", "credential", "sig=", "signature=", "sk-", "sk_", "rk_", "ghp_", "gho_", "ghu_", "ghs_", "ghr_"),
    *("github_pat_", "xox", "akia", "asia", "aiza", "hf_", "glpat-", "npm_", "sg.", "ya29.", "eyj"),
)
_SHAPES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"-----BEGIN [A-Z0-9 ]+-----.*?(?:-----END [A-Z0-9 ]+-----|\Z)", re.DOTALL), HIDDEN),
    (re.compile(r"\b([a-z][a-z0-9+.-]{0,20}://)[^/\s'\"<>@]*@", re.IGNORECASE), rf"\1{HIDDEN}@"),
    (
        re.compile(r"(\bhooks\.slack\.com/)\S+|(\bdiscord(?:app)?\.com/api/webhooks/)\S+|(\.webhook\.office\.com/)\S+"),
        HIDDEN,
    ),
    (re.compile(r"\b(bearer|basic)(\s+)[\w.~+/-]{8,}=*", re.IGNORECASE), rf"\1\2{HIDDEN}"),
    (re.compile(r"(?<![\w-])eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)*"), HIDDEN),
    (
        re.compile(r"(?<![\w-])(?:sk|rk)[-_][\w-]{16,}|\bgh[opsur]_\w{20,}|\bgithub_pat_\w{20,}|\bglpat-[\w-]{16,}"),
        HIDDEN,
    ),
    (
        re.compile(r"\bxox[abeoprs]-[\w-]{10,}|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bAIza[\w-]{30,}|\bya29\.[\w-]{10,}"),
        HIDDEN,
    ),
    (re.compile(r"\bhf_[A-Za-z0-9]{20,}|\bnpm_[A-Za-z0-9]{20,}|\bSG\.[\w-]{16,}\.[\w-]{16,}"), HIDDEN),
    (
        re.compile(
            r"((?:password|passwd|pwd|secret|token|api[_-]?key|access[_-]?key|authorization|credentials?"
            r"|sig|signature)['\"]?\s*[:=]\s*['\"]?)(?!\[hidden\])[^\s'\"&,;}]+",
            re.IGNORECASE,
        ),
        rf"\1{HIDDEN}",
    ),
)

_harmless: set[str] = set()
"""Short texts that were looked at and had nothing to hide: most lines repeat the same few words."""


@lru_cache(maxsize=1_024)
def names_a_secret(name: str) -> bool:
    """Whether a field of this name is hidden whatever it holds: api_key, X-Auth-Token, webhookUrl; not input_tokens."""
    words = _HUMP.sub("_", name).lower()
    return _SECRET_NAME.search(words.replace("-", "_").replace(" ", "_").replace(".", "_")) is not None


def hide(text: str) -> str:
    """The text with what is shaped like a secret hidden, and its end cut off when it is very long."""
    if text in _harmless:
        return text
    if len(text) > _MOST_TEXT:
        text = f"{text[:_MOST_TEXT]}… ({len(text) - _MOST_TEXT} more characters)"
    lower = text.lower()
    for hint in _HINTS:
        if hint in lower:
            return _hide_shapes(text)
    if len(text) <= 64:
        _remember(text)
    return text


def _remember(text: str) -> None:
    if len(_harmless) >= _MOST_REMEMBERED:
        _harmless.clear()
    _harmless.add(text)


def _hide_shapes(text: str) -> str:
    for shape, replacement in _SHAPES:
        text = shape.sub(replacement, text)
    return text


def redacted(fields: Mapping[str, object], depth: int = 0) -> dict[str, object]:
    """The fields with secrets hidden and every value one that JSON knows."""
    shown: dict[str, object] = {}
    for name, value in fields.items():
        key = str(name)
        secret = value is not None and type(value) is not bool and names_a_secret(key)
        shown[hide(key)] = HIDDEN if secret else _shown(value, depth)
        if len(shown) >= _MOST_ITEMS:
            break
    return shown


def _shown(value: object, depth: int) -> object:
    if type(value) is str:
        return hide(value)
    if value is None or type(value) in (bool, float):
        return value
    if type(value) is int:
        return value if -_MOST_INTEGER <= value <= _MOST_INTEGER else str(value)
    if isinstance(value, Mapping):
        return redacted(value, depth + 1) if depth < _MOST_DEPTH else "…"
    if isinstance(value, list | tuple | set | frozenset):
        return _items(value, depth + 1) if depth < _MOST_DEPTH else "…"
    return _word(value)


def _items(values: Iterable[object], depth: int) -> list[object]:
    return [_shown(value, depth) for _, value in zip(range(_MOST_ITEMS), values, strict=False)]


def _word(value: object) -> str:
    match value:
        case str():
            return hide(str(value))
        case Enum():
            return value.name
        case bytes() | bytearray() | memoryview():
            return f"<{len(value)} bytes>"
        case BaseException():
            return hide(f"{type(value).__name__}: {_str(value)}")
        case _:
            return hide(_str(value))


def _str(value: object) -> str:
    try:
        return str(value)
    except Exception:  # noqa: BLE001  # what cannot be printed must not stop what was about to be logged
        return f"<{type(value).__name__}>"
