"""Every line has one disposition, and they add up."""

from llm_incident_client import pb
from llm_incident_manager.cli.tally import DISPOSITIONS, Tally

D = pb.Disposition


def test_the_summary_names_every_disposition_and_adds_up() -> None:
    tally = Tally()
    results = [
        pb.EventResult(disposition=D.DISPOSITION_NEW, incident_id="a"),
        pb.EventResult(disposition=D.DISPOSITION_ATTACHED, incident_id="a"),
        pb.EventResult(disposition=D.DISPOSITION_NEW, incident_id="b"),
        pb.EventResult(disposition=D.DISPOSITION_IGNORED),
    ]
    tally.take([1, 2, 4, 5], results)
    tally.refuse(3, "no JSON")
    summary = tally.summary(2.0)
    assert list(summary) == ["sent", "dispositions", "incidents", "seconds", "rate"]
    assert list(summary["dispositions"]) == [
        "new", "attached", "duplicate", "suppressed", "applied", "ignored", "rejected"
    ]  # fmt: skip
    assert (summary["sent"], summary["incidents"], summary["rate"]) == (5, 2, 2.5)
    assert sum(summary["dispositions"].values()) == summary["sent"]
    assert set(summary["dispositions"]) == set(DISPOSITIONS)


def test_what_was_not_accepted_is_told_with_its_line_up_to_a_limit() -> None:
    tally = Tally(most_complaints=2)
    bad = pb.EventResult(disposition=D.DISPOSITION_REJECTED)
    bad.violations.add(field="title", message="title is required")
    tally.take([7], [bad])
    for number in (8, 9):
        tally.refuse(number, "no JSON")
    assert tally.complaints == ["line 7: title: title is required", "line 8: no JSON"]
    assert tally.counts()["rejected"] == 3
