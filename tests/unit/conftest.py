"""Property tests explore here; under `CI` they repeat the same examples."""

import os

from hypothesis import HealthCheck, settings

_SLOW = [HealthCheck.too_slow]  # a busy machine is no fault of a strategy

settings.register_profile(
    "dev", deadline=None, print_blob=True, suppress_health_check=_SLOW
)
settings.register_profile(
    "ci",
    deadline=None,
    print_blob=True,
    derandomize=True,
    max_examples=200,
    suppress_health_check=_SLOW,
)
settings.load_profile("ci" if os.environ.get("CI") else "dev")
