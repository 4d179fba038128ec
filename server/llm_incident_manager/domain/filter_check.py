"""Gives a parsed filter its meaning: names become fields, texts become values, and what makes no sense is refused."""

from llm_incident_manager.domain import filter_operands, filter_parser, filter_values, ids
from llm_incident_manager.domain.filter_errors import InvalidFilter, shown
from llm_incident_manager.domain.filter_fields import FIELDS, ORDERED, Field, Type
from llm_incident_manager.domain.filter_operands import Value
from llm_incident_manager.domain.filter_parser import Comparison, Function, Group, Literal, Member, Negation, Syntax
from llm_incident_manager.domain.filter_schema import INCIDENTS, Schema
from llm_incident_manager.domain.filter_tree import And, Compare, Like, Node, Not, Op, Or, Path, Present, Search, fold

HAS = ":"
_LOWER_KEYWORDS = frozenset({"and", "or", "not"})


def check(syntax: Syntax, schema: Schema = INCIDENTS) -> Node:
    """The checked tree. Raises InvalidFilter for unknown fields, values of the wrong type and words nobody knows."""
    match syntax:
        case Group(filter_parser.OR, parts):
            return disjunction([check(part, schema) for part in parts])
        case Group(filter_parser.SEQUENCE) if not schema.searched:
            raise InvalidFilter("words side by side are a search, and nothing is searched here: add AND", syntax.at + 1)
        case Group(_, parts):
            return conjunction([check(part, schema) for part in parts])
        case Negation(part):
            return Not(check(part, schema))
        case Comparison():
            return _compare(filter_operands.path_of(syntax.left, schema), syntax, syntax.right, schema)
        case Function():
            return _call(syntax, schema)
        case Literal() | Member():
            return _bare(syntax, schema)


def conjunction(parts: list[Node]) -> Node:
    """All of them, without ANDs in ANDs."""
    flat = [inner for part in parts for inner in (part.parts if isinstance(part, And) else (part,))]
    return flat[0] if len(flat) == 1 else And(tuple(flat))


def disjunction(parts: list[Node]) -> Node:
    """Any of them, without ORs in ORs."""
    flat = [inner for part in parts for inner in (part.parts if isinstance(part, Or) else (part,))]
    return flat[0] if len(flat) == 1 else Or(tuple(flat))


def _call(syntax: Function, schema: Schema) -> Node:
    """A function that stands alone must be a test."""
    _, given = filter_operands.call(syntax, schema)
    if isinstance(given, str):
        raise InvalidFilter(f"{syntax.name} gives a value: compare a field with it", syntax.at + 1)
    return given


def _bare(syntax: Literal | Member, schema: Schema) -> Node:
    """A word or text without an operator: a search, or the name of a yes-or-no field."""
    value = filter_operands.value_of(syntax)
    quoted = syntax.quoted
    field = schema.fields.get(value.text)
    if field is not None and field.type is Type.BOOLEAN and not quoted:
        return Compare(Path(field), Op.EQ, 1)
    if not quoted and value.text in _LOWER_KEYWORDS:
        remedy = f'write {value.text.upper()} in capitals, or "{value.text}" in quotes to search for the word'
        raise InvalidFilter(f"{value.text!r} is not an operator: {remedy}", value.at + 1)
    if not schema.searched:
        raise filter_operands.unknown_field(value.text, value.at, schema)
    if isinstance(syntax, Literal) and syntax.number and value.text.startswith("-"):
        # In a search a minus excludes a word; that numbers are words too is likelier than a search for negative ones.
        return Not(Search(fold(value.text[1:])))
    text, _, _ = _ends(value, "a search")
    if not text:
        raise InvalidFilter("an empty text is found everywhere: leave it out", value.at + 1)
    return Search(fold(text))


def _compare(path: Path, comparison: Comparison, right: Syntax, schema: Schema) -> Node:
    operator, at = comparison.operator, comparison.at
    match right:
        case Literal() | Member():
            return _test(path, operator, filter_operands.value_of(right), at)
        case Function():
            return _test(path, operator, filter_operands.called_value(right, path, schema), at)
        case Group(filter_parser.OR, parts) if operator in {"=", HAS}:
            return disjunction([_compare(path, comparison, part, schema) for part in parts])
        case Group(_, parts) if operator == HAS:
            return conjunction([_compare(path, comparison, part, schema) for part in parts])
        case _:
            remedy = f"write one value, or several as {path.field.name} = (a OR b)"
            raise InvalidFilter(f"{operator} cannot take this group: {remedy}", at + 1)


def _test(path: Path, operator: str, value: Value, at: int) -> Node:
    match path.field.type:
        case Type.TEXT:
            return _on_text(path, operator, value, at)
        case Type.LIST:
            return _on_list(path, operator, value, at)
        case Type.LABELS if path.key is None:
            return _on_all_labels(path, operator, value, at)
        case Type.LABELS:
            return _on_label(path, operator, value, at)
        case Type.TIME:
            return _on_time(path, operator, value, at)
        case _:
            return _on_scalar(path, operator, value, at)


def _on_text(path: Path, operator: str, value: Value, at: int) -> Node:
    if operator != HAS:
        return _text_comparison(path, operator, value, at)
    text, open_start, open_end = _ends(value, path.field.name)
    if not text:
        return _presence(path, value)
    anywhere = not value.stars
    return Like(path, fold(text), open_start or anywhere, open_end or anywhere, fold=True)


def _on_label(path: Path, operator: str, value: Value, at: int) -> Node:
    if value.is_any and operator in {"=", HAS}:
        return Present(path)
    return _text_comparison(path, "=" if operator == HAS else operator, value, at)


def _text_comparison(path: Path, operator: str, value: Value, at: int) -> Node:
    if not value.stars:
        return Compare(path, Op(operator), value.text)
    if operator not in {"=", "!="}:
        raise InvalidFilter(f"{operator} takes no wildcard: write \\* in quotes for a star, or compare with =", at + 1)
    text, open_start, open_end = _ends(value, path.field.name)
    like = Like(path, text, open_start, open_end, fold=False) if text else Present(path)
    if operator == "=":
        return like
    return And((Present(path), Not(like))) if path.nullable else Not(like)


def _on_list(path: Path, operator: str, value: Value, at: int) -> Node:
    name = path.field.name
    if operator != HAS:
        remedy = f"ask for an item with {name}:{shown(value.text)}, for its absence with NOT before it"
        raise InvalidFilter(f"{name} is a list and cannot be compared with {operator}: {remedy}", at + 1)
    text, open_start, open_end = _ends(value, name)
    if not text:
        return _presence(path, value)
    return Like(path, text, open_start, open_end, fold=False) if value.stars else Compare(path, Op.EQ, text)


def _on_all_labels(path: Path, operator: str, value: Value, at: int) -> Node:
    if operator != HAS:
        remedy = 'name one, for instance labels.region = "eu", or ask for its presence with labels:region'
        raise InvalidFilter(f"labels cannot be compared with {operator} as a whole: {remedy}", at + 1)
    if value.is_any:
        return Present(path)
    if value.stars or not value.text:
        raise InvalidFilter("labels: needs the whole key of a label, or * for any", value.at + 1)
    return Present(Path(path.field, value.text))


def _on_time(path: Path, operator: str, value: Value, at: int) -> Node:
    if operator == HAS:
        if value.is_any:
            return Present(path)
        remedy = f"ask whether it is set with {path.field.name}:*, compare it with = < <= > >="
        raise InvalidFilter(f"{path.field.name} is a time, and : is not for its value: {remedy}", at + 1)
    try:
        first, after = filter_values.moment_of(value.text)
    except filter_values.Unfit as error:
        raise _unfit(path.field, value, error) from error
    return _on_moment(path, Op(operator), first, after)


def _on_moment(path: Path, op: Op, first: int, after: int) -> Node:
    """A date stands for its whole day: later than it is from the next day on, equal to it is within it."""
    if after == first + 1:
        return Compare(path, op, first)
    within = [Compare(path, Op.GE, first), Compare(path, Op.LT, after)]
    match op:
        case Op.EQ:
            return And(tuple(within))
        case Op.NE:
            return Or((Compare(path, Op.LT, first), Compare(path, Op.GE, after)))
        case Op.LT | Op.GE:
            return Compare(path, op, first)
        case Op.GT:
            return Compare(path, Op.GE, after)
        case Op.LE:
            return Compare(path, Op.LT, after)


def _on_scalar(path: Path, operator: str, value: Value, at: int) -> Node:
    field = path.field
    if operator == HAS:
        if value.is_any and field.nullable:
            return Present(path)
        if value.is_any:
            raise InvalidFilter(f"every incident has {field.name}: compare it with =", at + 1)
        operator = "="
    if field.type not in ORDERED and operator not in {"=", "!="}:
        raise InvalidFilter(f"the values of {field.name} have no order: compare them with = or !=", at + 1)
    if field.type is Type.ID and operator in {"=", "!="} and ids.is_incident_number(value.text):
        return Compare(Path(FIELDS["number"]), Op(operator), value.text)
    try:
        return Compare(path, Op(operator), filter_values.value_of(field.type, value.text))
    except filter_values.Unfit as error:
        raise _unfit(field, value, error) from error


def _presence(path: Path, value: Value) -> Node:
    if not value.stars:
        remedy = f'ask whether it is set with {path.field.name}:*, whether it is empty with {path.field.name} = ""'
        raise InvalidFilter(f"{path.field.name}: needs a text: {remedy}", value.at + 1)
    return Present(path)


def _ends(value: Value, what: str) -> tuple[str, bool, bool]:
    """The text without wildcards at its ends, and at which ends they were."""
    last = len(value.text) - 1
    if any(0 < star < last for star in value.stars):
        remedy = "move it to an end, or write \\* in quotes for a star"
        raise InvalidFilter(f"* stands for any text only at the ends of a value of {what}: {remedy}", value.at + 1)
    open_start, open_end = 0 in value.stars, last in value.stars and last >= 0
    text = value.text[1:] if open_start else value.text
    return (text[:-1] if open_end and text else text), open_start, open_end


def _unfit(field: Field, value: Value, error: ValueError) -> InvalidFilter:
    return InvalidFilter(f"{field.name}: {error}", value.at + 1)
