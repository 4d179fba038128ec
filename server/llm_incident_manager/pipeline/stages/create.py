"""Opens incidents, attaches events to them and moves them, and records what became of every event."""

from llm_incident_manager.pipeline import ledger
from llm_incident_manager.pipeline.batch import Batch
from llm_incident_manager.pipeline.scene import Scene
from llm_incident_manager.pipeline.tools import Tools
from llm_incident_manager.ports.stores import Transaction

NAME = "create"


async def run(batch: Batch, tx: Transaction, tools: Tools) -> None:
    """Decides each live item in order, so that a later one sees what an earlier one did. The runner writes."""
    if batch.claimed is None:
        raise LookupError("create needs what dedup claimed")
    scene, live = Scene(batch, batch.claimed, tools), batch.live()
    await scene.load(live, tx)
    for item in live:
        scene.act(item)
    scene.note()
    ledger.note(batch)
