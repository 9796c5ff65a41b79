"""What holds for every test."""

import os

from hypothesis import settings

# No test asserts on time. In CI the examples are the same in every run, so that what fails has a cause in
# the change; elsewhere they differ, and find more.
settings.register_profile(
    "fivebyte", deadline=None, derandomize=os.environ.get("FIVEBYTE_REQUIRE_ALL") == "1", print_blob=True
)
settings.load_profile("fivebyte")
