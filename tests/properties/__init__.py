"""What must hold for whatever is asked and answered: found by generated examples, the same ones in every run."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# The machine that runs the tests may be slow, and a failure must come again. LLMUX_FUZZ=N looks at N random examples instead.
_MORE = int(os.environ.get("LLMUX_FUZZ", "0"))
settings.register_profile(
    "llmux",
    deadline=None,
    derandomize=not _MORE,
    database=None,
    max_examples=_MORE or 60,
    suppress_health_check=list(HealthCheck),
)
settings.load_profile("llmux")
