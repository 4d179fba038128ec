"""Small cases of every format, made here."""

from typing import Any

TEMPLATE = {"id": "t", "template": "/a/{b=c/**/d}/e", "segments": ["a", "c", "**", "d", "e"]}
VARIABLE = {"field": "b", "start": 1, "end": -2, "multi": True}
LOOKUP = {"method": "GET", "path": "/a/1", "expect": "one", "bindings": {"x": "1", "y": "2"}, "query": "y=2"}
MATCHER = {"id": "m", "templates": {"one": {"method": "GET", "path": "/a/{x}"}}}
RULE = {"rule": {"get": "/v1/{a}"}, "http": {"method": "GET", "url": "/v1/1?b=2", "body": None}}
WATCHED = {"id": "w", "call": "Watch x2", "service": "s"}
SYMBOL = {"id": "s", "request": {"file_containing_symbol": "nothing.Nothing"}}
PAGE = {"id": "p", "nodes": "ABCDE"}
ROUTE = {"id": "r", "registered": "GET /foo", "request": "DELETE /foo"}
FIELDS = {"_": ["standard functions", "function f(string) returns bool"], "msg": "string", "m": "map<string, string>"}

HOLDING: list[tuple[str, str, dict[str, Any], bool]] = [
    ("path_templates", "variables", {**TEMPLATE, "variables": [VARIABLE]}, True),
    ("path_templates", "another end", {**TEMPLATE, "variables": [{**VARIABLE, "end": -1}]}, False),
    ("path_templates", "other segments", {**TEMPLATE, "segments": ["a"]}, False),
    ("path_templates", "invalid", {"id": "t", "template": "/a/{b", "expect_invalid": True}, True),
    ("path_templates", "not invalid", {"id": "t", "template": "/a", "expect_invalid": True}, False),
    ("path_templates", "refused", {"id": "t", "template": "/a/{b", "segments": []}, False),
    ("template_tokens", "tokens", {"src": "v/{a.b=c/*}", "expect_tokens": list("v/{a.b=c/*}")}, True),
    ("template_tokens", "verb", {"src": "v:LOCK", "expect_tokens": ["v"], "verb": "LOCK"}, True),
    ("template_tokens", "other verb", {"src": "v:LOCK", "expect_tokens": ["v"], "verb": ""}, False),
    ("template_tokens", "error", {"tokens": ["{", "a", "eof"], "expect_error": True}, True),
    ("template_tokens", "no error", {"tokens": ["a", "eof"], "expect_error": True}, False),
    ("path_matcher", "bindings", {**MATCHER, "lookups": [LOOKUP]}, True),
    ("path_matcher", "more is bound", {**MATCHER, "lookups": [{**LOOKUP, "query": "y=2&z=3"}]}, False),
    ("path_matcher", "values", {**MATCHER, "lookups": [{**LOOKUP, "binding_values": ["2", "1"]}]}, False),
    ("path_matcher", "no match", {**MATCHER, "lookups": [{**LOOKUP, "path": "/b", "expect": None}]}, True),
    ("path_matcher", "another", {**MATCHER, "lookups": [{**LOOKUP, "expect": "two"}]}, False),
    (
        "path_matcher",
        "rule",
        {**MATCHER, "rule": "GET /a/ + 0 slashes + x matches one; the same ending in /y matches nothing"},
        True,
    ),
    ("path_matcher", "invalid", {"id": "m", "invalid_templates": ["/a/**/*", "/a"]}, False),
    (
        "query_parameters",
        "fields",
        {"query": "int64_value=-1&nested.bool_value=true", "expect": {"int64Value": "-1", "nested.boolValue": True}},
        True,
    ),
    (
        "query_parameters",
        "paths",
        {"query": "fieldmask_value=a_b,c", "expect": {"fieldmaskValue.paths": ["a_b", "c"]}},
        True,
    ),
    ("query_parameters", "bytes", {"query": "bytes_value=YQ", "expect": {"bytesValue (decoded)": "b"}}, False),
    ("query_parameters", "refused", {"query": "int32_value=x", "expect": {"int32Value": 1}}, False),
    ("query_parameters", "error", {"query": "int32_value=x", "expect_error": True}, True),
    ("query_parameters", "no error", {"query": "int32_value=1", "expect_error": True}, False),
    ("http_rule", "request", {**RULE, "expect_request": {"a": "1", "b": "2"}}, True),
    ("http_rule", "other request", {**RULE, "expect_request": {"a": "1", "b": "3"}}, False),
    (
        "http_rule",
        "body",
        {
            "rule": {"post": "/v1/{a}", "body": "*"},
            "http": {"method": "POST", "url": "/v1/1", "body": {"n": {"c": "x"}}},
            "expect_request": {"a": "1", "n": {"c": "x"}},
        },
        True,
    ),
    (
        "http_rule",
        "more bindings",
        {
            "rule": {"get": "/v1/{a}", "additional_bindings": [{"get": "/v2/{s.c}"}]},
            "http": {"method": "GET", "url": "/v2/x"},
            "expect_request": {"s": {"c": "x"}},
        },
        True,
    ),
    ("http_rule", "no route", {**RULE, "http": {"method": "GET", "url": "/v2"}, "expect_request": {}}, False),
    ("http_rule", "statement", {"statement": 'if the body is "*", there are no query parameters'}, True),
    ("status_mapping", "provoked", {"grpc_code": 5, "grpc": "NOT_FOUND", "expect_http": 404}, True),
    ("status_mapping", "other status", {"grpc_code": 5, "grpc": "NOT_FOUND", "expect_http": 500}, False),
    ("status_mapping", "not provoked", {"grpc_code": 15, "grpc": "DATA_LOSS", "expect_http": 500}, True),
    ("status_mapping", "of the web", {"http": 403, "expect_grpc": "PERMISSION_DENIED"}, True),
    ("status_mapping", "of the web, other", {"http": 403, "expect_grpc": "UNKNOWN"}, False),
    ("status_mapping", "error", {"error": 'NOT_FOUND "x"', "expect_http": 404, "expect_message_contains": "x"}, True),
    (
        "status_mapping",
        "other text",
        {"error": 'NOT_FOUND "x"', "expect_http": 404, "expect_message_contains": "y"},
        False,
    ),
    ("status_mapping", "no detail", {"error": 'NOT_FOUND "x"', "expect_detail_type": "y"}, False),
    (
        "status_mapping",
        "others differ",
        {**ROUTE, "expect_http": 501, "by": "(other gateways answer 404 or 405)"},
        True,
    ),
    ("status_mapping", "mismatch", {**ROUTE, "expect_http": 501}, False),
    (
        "health",
        "check",
        {"call": "Check", "service": "s", "setup": {"s": "NOT_SERVING"}, "expect": "NOT_SERVING"},
        True,
    ),
    ("health", "error", {"call": "Check", "service": "t", "expect_error": "NOT_FOUND"}, True),
    ("health", "no error", {"call": "Check", "service": "", "expect_error": "NOT_FOUND"}, False),
    (
        "health",
        "script",
        {
            **WATCHED,
            "script": [["expect on both", "SERVICE_UNKNOWN"], ["set", "SERVING"], ["expect on both", "SERVING"]],
        },
        True,
    ),
    (
        "health",
        "shutdown",
        {
            **WATCHED,
            "setup": {"s": "SERVING"},
            "script": [["expect", "SERVING"], ["enter graceful shutdown", ""], ["expect", "NOT_SERVING"]],
        },
        True,
    ),
    ("health", "expects silence", {**WATCHED, "script": [["expect nothing", ""]]}, False),
    ("reflection", "error", {**SYMBOL, "expect_error": {"error_code": 5}}, True),
    ("reflection", "no error", {**SYMBOL, "expect": "its file"}, False),
    ("reflection", "file", {"id": "s", "request": {"file_by_filename": "a file of the server"}, "expect": "it"}, True),
    (
        "reflection",
        "services",
        {"id": "s", "setup": ["B", "A"], "request": {"list_services": ""}, "expect": ["A", "B"]},
        True,
    ),
    (
        "reflection",
        "other services",
        {"id": "s", "setup": ["B"], "request": {"list_services": ""}, "expect": ["A"]},
        False,
    ),
    ("severity_maps", "word", {"tool": "x", "map": "severity_map", "value": "CRIT", "expect": "critical"}, True),
    ("severity_maps", "other word", {"tool": "x", "map": "severity_map", "value": "CRIT", "expect": "info"}, False),
    ("filter", "tree", {"id": "f", "filter": "a:b", "expect_ast": ["Has", ["Text", "a"], ["String", "b"]]}, True),
    ("filter", "duration", {"id": "f", "filter": 'duration("1m")', "expect_ast": ["Duration", 60]}, True),
    ("filter", "other tree", {"id": "f", "filter": "a:b", "expect_ast": ["Text", "a"]}, False),
    ("filter", "error", {"id": "f", "filter": "a =", "expect_error": "unexpected end"}, True),
    ("filter", "no error", {"id": "f", "filter": "a", "expect_error": "something"}, False),
    ("filter", "declared", {"filter": "f(m.k) AND msg = 'x'", "declarations": FIELDS, "expect_error": None}, True),
    ("filter", "not declared", {"filter": "g(msg)", "declarations": FIELDS, "expect_error": "undeclared"}, True),
    ("filter", "nothing searched", {"filter": "msg m", "declarations": FIELDS, "expect_error": "FUZZY"}, True),
    ("filter", "of the server", {"filter": "msg = 'x'", "declarations": {"msg": "string"}, "expect_error": None}, True),
    ("filter", "unexpected", {"filter": "msg = 'x'", "declarations": {"msg": "string"}, "expect_error": "no"}, False),
    ("filter", "statement", {"filter": "r:42", "statement": "some element of r is 42"}, True),
    (
        "paging_ordering",
        "order",
        {"order_by": "a.b desc, c", "expect": [{"path": "a.b", "desc": True}, {"path": "c", "desc": False}]},
        True,
    ),
    ("paging_ordering", "other order", {"order_by": "a", "expect": [{"path": "a", "desc": True}]}, False),
    ("paging_ordering", "error", {"order_by": "a b c", "expect_error": "invalid format"}, True),
    ("paging_ordering", "allowed", {"order_by": ["a"], "allowed": ["a"], "expect_error": None}, True),
    ("paging_ordering", "not allowed", {"order_by": ["b"], "allowed": ["a"], "expect_error": None}, False),
    (
        "paging_ordering",
        "situation",
        {"situation": "page_size above the maximum", "expect": "coerced to the maximum"},
        True,
    ),
    ("paging_ordering", "end", {"situation": "last page", "expect": "empty next_page_token"}, True),
    (
        "paging_ordering",
        "other filter",
        {"situation": "filter changed with a page_token", "expect": "INVALID_ARGUMENT"},
        True,
    ),
    ("relay_connections", "a page", {**PAGE, "args": {"first": 2, "after": "A"}, "expect": {"nodes": "BC"}}, True),
    ("relay_connections", "other nodes", {**PAGE, "args": {"first": 2}, "expect": {"nodes": "BC"}}, False),
    ("relay_connections", "more", {**PAGE, "args": {"last": 2}, "expect": {"has_previous_page": False}}, False),
    ("relay_connections", "error", {**PAGE, "args": {"first": -1}, "expect_error": "negative"}, True),
    ("relay_connections", "no error", {**PAGE, "args": {"first": 1}, "expect_error": "negative"}, False),
    ("relay_connections", "statement", {"statement": "a cursor that matches no edge is ignored"}, True),
]


"""Format, what is wrong or right about it, the case, whether it holds."""

UNREADABLE: list[tuple[str, dict[str, Any]]] = [
    ("path_templates", {"id": "t"}),
    ("template_tokens", {"tokens": ["a", "b", "eof"], "expect_error": True}),
    ("path_matcher", {"id": "m"}),
    ("path_matcher", {**MATCHER, "options": {"odd": 1}}),
    ("path_matcher", {**MATCHER, "rule": "it works"}),
    ("http_rule", {"statement": "it works"}),
    ("status_mapping", {"id": "s"}),
    ("status_mapping", {"error": "something bad"}),
    ("health", {"call": "List", "service": ""}),
    ("health", {**WATCHED, "script": [["dance", ""]]}),
    ("health", {"call": "Check", "service": ""}),
    ("reflection", {"id": "s", "request": {"a_new_request": "x"}, "expect": "x"}),
    ("reflection", {"id": "s", "statement": "it works"}),
    ("severity_maps", {"tool": "x", "map": "severity_map", "value": "CRIT", "expect": "odd"}),
    ("filter", {"filter": "a", "declarations": {"a": "an odd type"}, "expect_error": None}),
    ("filter", {"filter": "a", "statement": "it works"}),
    ("paging_ordering", {"situation": "a page", "expect": "it works"}),
    ("relay_connections", {"statement": "it works"}),
    ("relay_connections", {**PAGE, "args": {"around": 2}}),
]
"""Cases that state something no program can put to us."""
