"""The product's own command line on a machine whose wall clock is set to another moment."""

import os
import time
from collections.abc import Mapping
from datetime import datetime

PROGRAM = "tests.support.past_server"
MOMENT = "PAST_SERVER_MOMENT"


def environment(moment: datetime) -> Mapping[str, str]:
    """What a server of this program has to be started with, for its clock to stand at a moment then."""
    from tools.shell import ROOT

    return {"PYTHONPATH": str(ROOT), MOMENT: moment.isoformat()}


if __name__ == "__main__":
    _ahead = round(datetime.fromisoformat(os.environ[MOMENT]).timestamp() * 1e9) - time.time_ns()
    _wall = time.time_ns
    time.time_ns = lambda: _wall() + _ahead

    from llm_incident_manager.__main__ import main  # behind it: the clock takes what there is when it is imported

    main()
