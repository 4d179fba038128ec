"""The tokens of path templates. Pure grammar: the transcoder's `template.parse` is the only door.

Our parser keeps no tokens, so those expected are put together to the segments, variables and verb they mean.
"""

import itertools
from collections.abc import Iterator, Sequence

from cases.case import Case, Doors, Unreadable, difference, needed
from llm_incident_manager.transport.rest import template

NAME = "template_tokens"
_PUNCTUATION = frozenset("/{}=.")


def recognises(case: Case) -> bool:
    """A source with tokens, or tokens that are no template."""
    return "expect_tokens" in case or ("tokens" in case and "expect_error" in case)


async def run(case: Case, doors: Doors) -> str:
    """Parses the source, or what the tokens spell; the format leaves the leading slash away."""
    if "expect_tokens" not in case:
        return _refusal(needed(case, "tokens", (list, type(None))))
    parsed = template.parse("/" + needed(case, "src", str))
    got = (list(parsed.segments), [(v.field, v.start, v.end) for v in parsed.variables], parsed.verb)
    return difference(got, (*_meant(case["expect_tokens"]), case.get("verb", "")))


def _refusal(tokens: Sequence[str] | None) -> str:
    words = [token for token in tokens or () if token != "eof"]
    pairs = itertools.pairwise(words)
    if any(_PUNCTUATION.isdisjoint(one) and _PUNCTUATION.isdisjoint(other) for one, other in pairs):
        raise Unreadable("two literal tokens side by side: no text of a template yields them")
    text = "/" + "".join(words) if words else ""
    try:
        template.parse(text)
    except template.TemplateError:
        return ""
    return f"{text!r} was taken"


def _meant(tokens: Sequence[str]) -> tuple[list[str], list[tuple[str, int, int]]]:
    """The segments and the variables (field, start, end) that tokens spell."""
    segments: list[str] = []
    variables: list[tuple[str, int, int]] = []
    reading = iter(tokens)
    for token in reading:
        if token == "{":
            field, inner = _variable(reading)
            variables.append((field, len(segments), len(segments) + len(inner)))
            segments += inner
        elif token != "/":
            segments.append(token)
    return segments, variables


def _variable(reading: Iterator[str]) -> tuple[str, list[str]]:
    """The field and the segments of a variable, read up to its brace."""
    words: list[str] = []
    for token in reading:
        if token == "}":
            break
        words.append(token)
    if "=" not in words:
        return "".join(words), ["*"]
    at = words.index("=")
    return "".join(words[:at]), [word for word in words[at + 1 :] if word != "/"]
