"""Lends audit chains to transactions: a chain serves one at a time, and is dropped when nobody knows how that ended."""

from llm_incident_manager.adapters.sql.audit import AuditChain


class Chains:
    """The chains of one run of the server. As many as transactions audit at once, each with a writer of its own."""

    def __init__(self, run: str) -> None:
        """`run` is unique to this start of the server; writers are `run`/1, `run`/2 and so on."""
        self.run = run
        self._made = 0
        self._free: list[AuditChain] = []

    def take(self) -> AuditChain:
        """A chain for the caller alone."""
        if self._free:
            return self._free.pop()
        self._made += 1
        return AuditChain(f"{self.run}/{self._made}")

    def give_back(self, chain: AuditChain) -> None:
        """Only when the end of its transaction is known."""
        self._free.append(chain)


class Lease:
    """At most one chain for one transaction."""

    def __init__(self, chains: Chains) -> None:
        """Takes nothing yet."""
        self._chains = chains
        self._chain: AuditChain | None = None

    def borrow(self) -> AuditChain:
        """The transaction's chain."""
        if self._chain is None:
            self._chain = self._chains.take()
        return self._chain

    def commit(self) -> None:
        """The transaction is durable: its records stand."""
        if self._chain is not None:
            self._chain.commit()
            self._give_back(self._chain)

    def rollback(self) -> None:
        """The transaction is certainly undone: its records never were."""
        if self._chain is not None:
            self._chain.rollback()
            self._give_back(self._chain)

    def abandon(self) -> None:
        """Nobody knows whether the transaction is durable: no more records go behind its own."""
        self._chain = None

    def _give_back(self, chain: AuditChain) -> None:
        self._chain = None
        self._chains.give_back(chain)
