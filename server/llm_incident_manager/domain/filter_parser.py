"""The grammar of filters, a subset of AIP-160: text to an unchecked tree. Knows no fields, types or meanings."""

from dataclasses import dataclass

from llm_incident_manager.domain.filter_errors import InvalidFilter, shown
from llm_incident_manager.domain.filter_tokens import Kind, Token, tokens

MAX_LENGTH = 4_096
"""Characters of a filter."""

MAX_DEPTH = 32
"""Parentheses within parentheses."""

MAX_TERMS = 256
"""Words and comparisons of a filter; a database refuses far deeper trees, but not politely."""


@dataclass(frozen=True, slots=True)
class Literal:
    """A word, a text in quotes or a number. `at` is its offset; `stars` are offsets of wildcards in `text`."""

    text: str
    at: int
    quoted: bool = False
    number: bool = False
    stars: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Member:
    """A word with what follows its dots: `labels.region`. `raw` is all of it as written, `quoted` if with quotes."""

    names: tuple[str, ...]
    raw: str
    at: int
    quoted: bool = False
    stars: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Function:
    """A call."""

    name: str
    arguments: tuple["Syntax", ...]
    at: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """`left operator right`; `at` is the operator's offset."""

    operator: str
    left: "Syntax"
    right: "Syntax"
    at: int


@dataclass(frozen=True, slots=True)
class Group:
    """AND, OR, or a SEQUENCE of things without a word between them."""

    kind: str
    parts: tuple["Syntax", ...]
    at: int


@dataclass(frozen=True, slots=True)
class Negation:
    """NOT or a minus."""

    part: "Syntax"
    at: int


Syntax = Literal | Member | Function | Comparison | Group | Negation

AND, OR, SEQUENCE = "AND", "OR", "SEQUENCE"


def parse_syntax(source: str) -> Syntax | None:
    """The tree of a filter; None when it is empty. Raises InvalidFilter with position and remedy."""
    if len(source) > MAX_LENGTH:
        raise InvalidFilter(f"longer than {MAX_LENGTH} characters: write a shorter one", MAX_LENGTH + 1)
    reader = _Reader(source, tokens(source))
    return None if reader.at_end() else reader.whole()


class _Reader:
    """A recursive descent over the tokens; each method reads one rule of the grammar."""

    def __init__(self, source: str, found: tuple[Token, ...]) -> None:
        self._source = source
        self._tokens = found
        self._at = 0
        self._terms = 0

    def at_end(self) -> bool:
        """Whether all tokens are read."""
        return self._peek.kind is Kind.END

    def whole(self) -> Syntax:
        """Reads an expression that must be all there is."""
        tree = self._expression(0)
        if not self.at_end():
            raise self._unexpected()
        return tree

    @property
    def _peek(self) -> Token:
        return self._tokens[self._at]

    def _expression(self, depth: int) -> Syntax:
        """Reads: sequence { AND sequence }."""
        parts = [self._sequence(depth)]
        while self._taken(Kind.AND):
            parts.append(self._sequence(depth))
        return _group(AND, parts)

    def _sequence(self, depth: int) -> Syntax:
        """Reads: factor { factor }."""
        parts = [self._factor(depth)]
        while self._peek.kind in _STARTS:
            parts.append(self._factor(depth))
        return _group(SEQUENCE, parts)

    def _factor(self, depth: int) -> Syntax:
        """Reads: term { OR term }. OR binds tighter than AND."""
        parts = [self._term(depth)]
        while self._taken(Kind.OR):
            parts.append(self._term(depth))
        return _group(OR, parts)

    def _term(self, depth: int) -> Syntax:
        """Reads: [ NOT | - ] ( restriction | composite ). A lone negative number stays a number."""
        sign = self._peek
        if sign.kind not in {Kind.NOT, Kind.MINUS}:
            return self._simple(depth)
        self._at += 1
        part = self._simple(depth)
        if sign.kind is Kind.MINUS and isinstance(part, Literal) and part.number:
            return Literal(f"-{part.text}", sign.start, number=True)
        return Negation(part, sign.start)

    def _simple(self, depth: int) -> Syntax:
        if self._peek.kind is Kind.OPEN:
            return self._composite(depth)
        self._count_term()
        left = self._comparable(depth)
        operator = self._peek
        if not self._taken(Kind.COMPARATOR):
            return left
        return Comparison(operator.text, left, self._argument(depth), operator.start)

    def _composite(self, depth: int) -> Syntax:
        opening = self._peek
        if depth >= MAX_DEPTH:
            raise InvalidFilter(f"more than {MAX_DEPTH} parentheses within each other: write fewer", opening.start + 1)
        self._at += 1
        inner = self._expression(depth + 1)
        if not self._taken(Kind.CLOSE):
            raise InvalidFilter("this parenthesis is not closed: add )", opening.start + 1)
        return inner

    def _argument(self, depth: int) -> Syntax:
        if self._peek.kind is Kind.OPEN:
            return self._composite(depth)
        sign = self._peek
        if not self._taken(Kind.MINUS):
            return self._comparable(depth)
        number = self._peek
        if not self._taken(Kind.NUMBER) or number.start != sign.end:
            raise InvalidFilter("only a number may follow this minus; put other text in double quotes", sign.start + 1)
        return Literal(f"-{number.text}", sign.start, number=True)

    def _comparable(self, depth: int) -> Syntax:
        token = self._peek
        if not self._taken(Kind.WORD, Kind.STRING, Kind.NUMBER):
            raise self._unexpected()
        if token.kind is not Kind.WORD:
            return Literal(token.text, token.start, token.kind is Kind.STRING, token.kind is Kind.NUMBER, token.stars)
        path = self._member(token)
        if self._peek.kind is Kind.OPEN and self._peek.start == self._tokens[self._at - 1].end:
            return self._function(path, depth)
        return path

    def _member(self, first: Token) -> Literal | Member:
        names, stars, quoted = [first.text], first.stars, False
        while self._touching(Kind.DOT):
            self._at += 1
            token = self._peek
            if not self._touching(Kind.WORD, Kind.STRING, Kind.NUMBER):
                place = self._tokens[self._at - 1].end + 1
                raise InvalidFilter("a name must follow the dot; put text with dots in double quotes", place)
            self._at += 1
            names.append(token.text)
            quoted = quoted or token.kind is Kind.STRING
            stars += tuple(token.start - first.start + star for star in token.stars)
        if len(names) == 1:
            return Literal(first.text, first.start, stars=stars)
        raw = self._source[first.start : self._tokens[self._at - 1].end]
        return Member(tuple(names), raw, first.start, quoted, stars)

    def _function(self, path: Literal | Member, depth: int) -> Function:
        if depth >= MAX_DEPTH:
            raise InvalidFilter(f"more than {MAX_DEPTH} parentheses within each other: write fewer", path.at + 1)
        self._at += 1
        arguments: list[Syntax] = []
        if not self._taken(Kind.CLOSE):
            arguments.append(self._argument(depth + 1))
            while self._taken(Kind.COMMA):
                arguments.append(self._argument(depth + 1))
            if not self._taken(Kind.CLOSE):
                raise self._unexpected()
        return Function(path.raw if isinstance(path, Member) else path.text, tuple(arguments), path.at)

    def _taken(self, *kinds: Kind) -> bool:
        if self._peek.kind not in kinds:
            return False
        self._at += 1
        return True

    def _touching(self, *kinds: Kind) -> bool:
        return self._peek.kind in kinds and self._peek.start == self._tokens[self._at - 1].end

    def _count_term(self) -> None:
        self._terms += 1
        if self._terms > MAX_TERMS:
            raise InvalidFilter(f"more than {MAX_TERMS} words and comparisons: write fewer", self._peek.start + 1)

    def _unexpected(self) -> InvalidFilter:
        """The refusal of the token at hand."""
        token = self._peek
        if token.kind is Kind.END:
            return InvalidFilter("a field, a word or a value is missing at the end: add it", token.start + 1)
        problem = f"unexpected {shown(token.text)}: remove it, or put text in double quotes"
        return InvalidFilter(problem, token.start + 1)


_STARTS = frozenset({Kind.WORD, Kind.STRING, Kind.NUMBER, Kind.NOT, Kind.MINUS, Kind.OPEN})


def _group(kind: str, parts: list[Syntax]) -> Syntax:
    return parts[0] if len(parts) == 1 else Group(kind, tuple(parts), parts[0].at)
