"""Two small models made of rules, which need nothing but this package: `classify` and `redact`."""

import re
from collections.abc import Mapping

from llm_incident_client.edge_agent.models.running import Answer

_PERSONAL = {
    "email": re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}"),
    "iban": re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b"),
    "card": re.compile(r"\b\d(?:[ -]?\d){12,18}\b"),
    "phone": re.compile(r"(?<![\w.])\+?\d{1,3}[ /-]?\(?\d{2,4}\)?(?:[ /-]?\d{2,4}){2,4}(?!\w)"),
    "api_key": re.compile(r"\b(?:sk|pk|key|ghp|xox[abp])[-_][A-Za-z0-9_-]{16,}\b"),
}
"""What is personal or secret, in the order in which it is looked for."""

_WORDS = {
    "prompt_injection": (
        "ignore previous", "ignore all previous", "disregard the above", "system prompt", "developer mode",
        "you are now", "jailbreak", "do anything now",
    ),
    "data_exfiltration": ("send the contents", "base64", "curl http", "exfiltrate", "print your instructions"),
    "self_harm": ("kill myself", "end my life", "suicide", "hurt myself"),
    "toxicity": ("idiot", "i hate you", "shut up", "worthless"),
}  # fmt: skip
"""What texts of a class contain, in lower case."""


class Redact:
    """Replaces what is personal or secret by the name of its kind: "[email]". Scores are how often each was found."""

    async def run(self, text: str, parameters: Mapping[str, str]) -> Answer:
        """Parameter `kinds`: only these, separated by commas. Raises ValueError for one that is not known."""
        wanted = [one.strip() for one in parameters.get("kinds", ",".join(_PERSONAL)).split(",")]
        if unknown := set(wanted) - set(_PERSONAL):
            raise ValueError(f"kinds: {', '.join(sorted(unknown))} unknown; there are {', '.join(_PERSONAL)}")
        scores: dict[str, float] = {}
        for kind in (one for one in _PERSONAL if one in wanted):
            text, found = _PERSONAL[kind].subn(f"[{kind}]", text)
            if found:
                scores[kind] = float(found)
        return Answer(text, scores)


class Classify:
    """Names the class of a text, or "clean". Scores are the part of each class's phrases that was found."""

    async def run(self, text: str, parameters: Mapping[str, str]) -> Answer:
        """Parameter `threshold`: the score from which a class is named; 0.1 when absent."""
        threshold = float(parameters.get("threshold", "0.1"))
        lower = " ".join(text.lower().split())
        scores = {name: sum(word in lower for word in words) / len(words) for name, words in _WORDS.items()}
        best = max(scores, key=scores.__getitem__)
        return Answer(best if scores[best] >= threshold else "clean", {one: s for one, s in scores.items() if s})
