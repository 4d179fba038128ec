"""GraphQL: operations by their field, and what was refused before it ran."""

from llm_incident_manager.telemetry.instruments import CALL, Children, Instruments


class GraphqlMetrics:
    """The GraphQL door. The methods that its fields call are counted as all calls are."""

    def __init__(self, make: Instruments) -> None:
        """Nothing is counted yet."""
        words = ("kind", "field", "code")
        self._operations = Children(make.counter("graphql_operations", "GraphQL operations run, by field.", *words))
        times = make.histogram("graphql_duration_seconds", "Time to run a GraphQL operation.", CALL, *words[:2])
        self._operation_times = Children(times)
        refused = make.counter("graphql_refused", "GraphQL requests refused before they ran.", "rule")
        self._refused_operations = Children(refused)

    def graphql_answered(self, kind: str, field: str, code: str, seconds: float) -> None:
        """Records an operation: query or mutation, its field of the schema, the code of its first error or OK."""
        self._operations[(kind, field, code)].inc()
        self._operation_times[(kind, field)].observe(seconds)

    def graphql_subscribed(self, field: str) -> None:
        """Counts a subscription as it begins."""
        self._operations[("subscription", field, "OK")].inc()

    def graphql_refused(self, rule: str) -> None:
        """Counts a refusal: the rule that was broken, such as graphql.max_depth, else the code."""
        self._refused_operations[(rule,)].inc()
