"""The manager inside a program of your own, without a server: an alert in, an acknowledgement back, an incident ended.

python -m examples.embedded
"""

import asyncio

from llm_incident_manager.embedded import Alert, IncidentProcessor, IncidentType, Severity


async def main() -> None:
    """Reports one problem twice and ends it."""
    # Everything is kept in memory; the keys of config.yaml choose otherwise.
    async with IncidentProcessor({"deduplication": {"window_secs": 900}}) as processor:
        alert = Alert(
            "ext-123",
            "monitoring",
            "High CPU Usage",
            "CPU usage exceeded 90% threshold",
            Severity.P1,
            IncidentType.INFRASTRUCTURE,
        )

        ack = await processor.process_alert(alert)
        print(f"Incident created: {ack.incident_id}")
        assert ack.incident_id is not None

        again = await processor.process_alert(alert)
        print(f"The same alert again: {again.status}")

        await processor.acknowledge(ack.incident_id, actor="ann@example.com")
        ended = await processor.resolve(ack.incident_id, resolved_by="ann@example.com", root_cause="Memory leak")
        print(f"{ended.number} is {ended.state.name}: {ended.severity.name} {ended.title}")


if __name__ == "__main__":
    asyncio.run(main())
