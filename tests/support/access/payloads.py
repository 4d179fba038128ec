"""Fault 45: texts that would change a statement if any became part of one: the shapes that injection tools try.

Made from pieces, as those tools make theirs: a way out of the literal, a technique, and a way to end the statement.
"""

from collections.abc import Iterator, Sequence
from itertools import product

EXITS = ("'", '"', "')", '")', "'))", "", "\\'", "%27", "'||'", "`", "$$", "\u02bc", "\uff07")
ENDS = ("--", "-- -", "#", "/*", ";--", "")

BOOLEAN = (" OR 1=1", " AND 1=2", " OR 'a'='a", " OR TRUE", " AND 5512=5512", " OR NOT 1=2", " RLIKE (SELECT 1)")
UNION = (
    " UNION SELECT NULL",
    " UNION ALL SELECT NULL,NULL,NULL",
    " UNION SELECT tenant FROM incident",
    " UNION SELECT sql FROM sqlite_master",
    " UNION SELECT version()",
    " UNION SELECT usename FROM pg_user",
)
STACKED = (
    "; DROP TABLE incident",
    "; UPDATE incident SET tenant='alpha'",
    "; DELETE FROM audit",
    "; SELECT pg_sleep(5)",
    "; ATTACH DATABASE 'x' AS y",
    "; COPY incident TO PROGRAM 'id'",
    "; CREATE TABLE pwned(a text)",
    "; PRAGMA writable_schema=1",
)
TIMED = (
    " AND 1=(SELECT 1 FROM pg_sleep(5))",
    " || pg_sleep(5)",
    " AND 1=LIKE('ABCDEFG',UPPER(HEX(RANDOMBLOB(500000000/2))))",
    " OR randomblob(1000000000)",
    " WAITFOR DELAY '0:0:5'",
)
ERROR_BASED = (
    " AND 1=CAST((SELECT version()) AS int)",
    " AND 1=CAST((CHR(113)||CHR(122)||(SELECT 1)::text) AS NUMERIC)",
    " AND extractvalue(1,concat(0x7e,version()))",
    " AND json('x')",
    " AND abs(-9223372036854775808)",
    " AND (SELECT 1/0)",
    " AND unhex('zz')",
)
WHOLE = (
    "admin'--",
    "1;SELECT 1",
    "0x31303235343830303536",
    "CHAR(0x27)",
    "{{7*7}}",
    "${7*7}",
    "%",
    "_",
    "%%",
    "\\",
    "\\\\'",
    "'';",
    "?1",
    "$1",
    ":tenant",
    "@x",
    "{columns}",
    "{group}",
    "{matching}",
    "%s",
    "%(tenant)s",
    "NULL",
    "null",
    "TRUE",
    "NaN",
    "'\n--",
    "'\r\n;",
    "'\t OR\t1=1",
    "' OR 1=1/**/",
    "'/**/OR/**/1=1",
    "'+(SELECT 1)+'",
    "' AND ascii(substr((SELECT 1),1,1))>0--",
    "' GROUP BY 1 HAVING 1=1--",
    "' ORDER BY 99--",
    "' LIMIT 0 OFFSET 1--",
    "' INTO OUTFILE '/tmp/x'--",
    "' PROCEDURE ANALYSE()--",
    '" MATCH "',
    "x* OR y",
    "NEAR(a b)",
    "a:*",
    "!a & b",
    "<->",
    "'a' <2> 'b'",
    "[x]",
    "severity desc; DROP TABLE incident",
    "create_time, (SELECT 1)",
    "labels.'; DROP TABLE incident; --",
    'labels."x\' OR 1=1--"',
    "\u2019 OR 1=1--",
    "\u00a0' OR 1=1",
)


def corpus() -> Sequence[str]:
    """All of them, in one order, each once."""
    return list(dict.fromkeys([*WHOLE, *_composed()]))


def _composed() -> Iterator[str]:
    techniques = (*BOOLEAN, *UNION, *STACKED, *TIMED, *ERROR_BASED)
    for number, (way_out, technique) in enumerate(product(EXITS, techniques)):
        yield f"{'1' if number % 2 else ''}{way_out}{technique}{ENDS[number % len(ENDS)]}"
