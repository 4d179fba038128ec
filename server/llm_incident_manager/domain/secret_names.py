"""Names of fields that hold secrets: api_key, X-Auth-Token, webhookUrl; not input_tokens."""

import re
from functools import lru_cache

_WORDS = (
    r"secrets?|token|password|passwd|passphrase|pwd|authorization|credentials?|cookie|dsn|jwt"
    r"|(?:api|access|account|private|signing|encryption|integration|routing){0}key|(?:webhook|database|redis){0}url"
    r"|connection{0}string"
)
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_BETWEEN = re.compile(r"[\W_]+")
_SECRET_NAME = re.compile(rf"(?:^|_)(?:{_WORDS.format('_?')}|\w*passw(?:or)?d)(?:[_\d]|$)")
_OF_ANY_LENGTH = re.compile(r"passw(?:or)?d|passphrase|(?:^|_)pwd")
_ABOUT = re.compile(
    r"_(?:types?|names?|ids?|counts?|limits?|issuers?|kinds?|stat(?:e|us)|polic(?:y|ies)|resets?|models?|usage|budgets?"
    r"|length|size|rates?|ttl|expir(?:y|ed|es|es_at|ation)|errors?|scopes?|versions?|age|buckets?|sources?|providers?"
    r"|missing|required|present|valid|invalid|per_\w+)$"
)
"""Ends of names of what is said about a secret, a limit of tokens, a kind of credential."""

LEAST = 6
"""Characters of a value that is hidden because of a name that other things than secrets have, too."""

IN_BYTES = rf"(?i:{_WORDS.format('[^a-z0-9]*')}|passw(?:or)?d)(?:[^a-z\x00-\x1f][^\x00-\x1f]*)?\x12"
"""RE2: such a name as the key of a map of texts, as it stands in the bytes of a message of Protocol Buffers, where the
tag of the value follows it."""


@lru_cache(maxsize=1_024)
def names_a_secret(name: str) -> bool:
    """Whether a field of this name may hold a secret; what is only logged is hidden whatever it is."""
    return _SECRET_NAME.search(_plain(name)) is not None


def is_secret(name: str, value: str) -> bool:
    """Whether the value of a field of this name, which is kept, is to be hidden: not a count of tokens, not the type
    of a credential."""
    if not names_a_secret(name) or _ABOUT.search(plain := _plain(name)) is not None:
        return False
    if _OF_ANY_LENGTH.search(plain) is not None:
        return bool(value)
    return len(value) >= LEAST and is_no_number(value)


def is_no_number(value: str) -> bool:
    """Not a count of tokens, a limit, a size."""
    return not value.replace(",", "").replace(".", "").replace("_", "").isdecimal()


def _plain(name: str) -> str:
    """In lower case, with one _ between words."""
    return _BETWEEN.sub("_", _HUMP.sub("_", name)).lower()
