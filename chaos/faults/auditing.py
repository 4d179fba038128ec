"""Fault 50: every state change has its audit record, or is none."""

import json

import grpc

from chaos.registry import fault
from chaos.row import Figure, Outcome
from chaos.run import Run
from tests.support.audited import CONFIG, EXAMPLES, WRITING, audit_refused, call, check, look, new_records, prepare
from tests.support.server import running_server


@fault(50, "every method of the contract, and each of them while the audit takes no record",
       limit="one record a change, 0 changes without one, 0 records changed or gone")  # fmt: skip
async def all_methods(run: Run) -> Outcome:
    """Calls the examples of all methods in another order each round; then all that write, with the audit refused."""
    called = changing = records = refused = 0
    wrong: list[str] = []
    async with running_server(config=json.dumps(CONFIG)) as server:
        for _ in range(run.size(1, 10)):
            for method, example in run.chance.sample(EXAMPLES, len(EXAMPLES)):
                requests = await prepare(server, method, example)
                before = look(server)
                await call(server, method, requests)
                called += 1
                try:
                    told = check(before, look(server))
                except AssertionError as different:
                    wrong.append(f"{method.name}: {different}"[:300])
                    continue
                changing += bool(told)
                records += len(told)
        for method, example in WRITING:
            requests = await prepare(server, method, example)
            with audit_refused(server):
                before = look(server)
                try:
                    await call(server, method, requests)
                except grpc.aio.AioRpcError:
                    refused += 1
                after = look(server)
            if new_records(before, after) or not before.same(after):
                wrong.append(f"{method.name} changed something that the audit does not have")
    figures = [
        Figure("calls", called, least=len(EXAMPLES)),
        Figure("of them changes", changing, least=1),
        Figure("records, each of one change", records, least=changing),
        Figure("refused with their record", refused, least=1),
    ]
    return Outcome(figures, wrong=wrong)
