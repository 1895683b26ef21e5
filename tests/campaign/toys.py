"""The tests' toy study and training backend as an installed plug-in, found like anybody's through entry points."""

from __future__ import annotations

import os
import sys
from pathlib import Path

ENTRY_POINTS = """\
[epsl_opt.studies]
squares = study_toys:Squares

[epsl_opt.backends]
toy = training_toys:ToyBackend
"""

METADATA = "Metadata-Version: 2.1\nName: campaign-toys\nVersion: 1.0\n"

TESTS = Path(__file__).resolve().parents[1]


def install(workshop: Path) -> None:
    """Make the toys known to this process and to those that it starts."""
    plugins = workshop / "plugins"
    package = plugins / "campaign_toys-1.0.dist-info"
    package.mkdir(parents=True, exist_ok=True)
    (package / "METADATA").write_text(METADATA)
    (package / "entry_points.txt").write_text(ENTRY_POINTS)
    # The checkout before `tests`, which has a folder `epsl_opt`, too.
    places = [str(TESTS.parent), str(TESTS), str(plugins)]
    sys.path[:] = [*places, *(place for place in sys.path if place not in places)]
    os.environ["PYTHONPATH"] = os.pathsep.join(places)
