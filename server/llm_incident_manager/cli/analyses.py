"""`incident …`: what the services beside the manager are asked about an incident, and what they answer."""

from typing import TYPE_CHECKING, Annotated

import typer

from llm_incident_manager.cli import failures, options, snooze
from llm_incident_manager.cli.aim import Actor
from llm_incident_manager.cli.incident import IncidentId
from llm_incident_manager.cli.options import Invocation
from llm_incident_manager.domain.analysis import Question

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llm_incident_client import IncidentClient, pb
    from llm_incident_manager.cli.printing import Printer

app = snooze.app

Questions = Annotated[list[str], typer.Argument(help=f"Some of {', '.join(Question)}.", metavar="QUESTION...")]


@options.command(app, "analyze")
def analyze(how: Invocation, incident_id: IncidentId, questions: Questions, actor: Actor = "") -> None:
    """Ask Sentinel, Shield or Governance about an incident."""
    from llm_incident_client import pb
    from llm_incident_manager.cli import connection, printing

    unknown = [each for each in questions if each not in list(Question)]
    if unknown:
        raise failures.BadUsage(f"{unknown[0]!r} is no question: give some of {', '.join(Question)}")
    asked = [pb.AnalysisQuestion.Value(f"ANALYSIS_QUESTION_{each.upper()}") for each in questions]
    answer = connection.call(how, lambda client: client.request_analysis(incident_id, asked, actor=how.actor(actor)))
    printer = printing.Printer(how)
    printer.many(answer.analyses, lambda: _print(printer, answer.analyses))


@options.command(app, "analyses")
def analyses(how: Invocation, incident_id: IncidentId) -> None:
    """List what was asked about an incident and what was answered, oldest first."""
    from llm_incident_manager.cli import connection, printing

    async def work(client: "IncidentClient") -> "list[pb.IncidentAnalysis]":
        return [each async for each in client.iter_analyses(incident_id)]

    found = connection.call(how, work)
    printer = printing.Printer(how)
    printer.many(found, lambda: _print(printer, found))


def _print(printer: "Printer", found: "Sequence[pb.IncidentAnalysis]") -> None:
    from llm_incident_client import pb

    rows = [
        (
            pb.AnalysisQuestion.Name(one.question).removeprefix("ANALYSIS_QUESTION_").lower(),
            one.service,
            pb.AnalysisState.Name(one.state).removeprefix("ANALYSIS_STATE_").lower(),
            printer.moment(one.update_time),
            f"{one.confidence:.2f}" if one.WhichOneof("findings") else "-",
            pb.Severity.Name(one.recommended_severity).removeprefix("SEVERITY_") if one.recommended_severity else "-",
            _sentence(one),
        )
        for one in found
    ]
    printer.table(("QUESTION", "SERVICE", "STATE", "SINCE", "SURE", "SEV", "WHAT"), rows)


def _sentence(one: "pb.IncidentAnalysis") -> str:
    name = one.WhichOneof("findings")
    return one.error if name is None else str(getattr(one, name).summary)
