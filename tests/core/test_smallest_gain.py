"""The smallest gain an instance may have."""

from __future__ import annotations

import pytest
from pydantic import ValidationError
from strategies import small_instance

from epsl_opt.core.instance import SMALLEST_GAIN, Channel


@pytest.mark.parametrize("field", ["uplink_gain", "downlink_gain"])
def test_a_gain_that_would_underflow_is_refused_by_name(field: str) -> None:
    """A positive gain below the smallest is an error that names the field; the smallest itself is taken."""
    instance = small_instance()
    for gain, taken in ((SMALLEST_GAIN, True), (SMALLEST_GAIN / 10, False)):
        channel = Channel(**(instance.channel.to_document() | {field: [[gain] * 3, [1e-9] * 3]}))
        if taken:
            assert instance.replace(channel=channel).channel == channel
        else:
            with pytest.raises(ValidationError, match=f"channel.{field}: a gain must be 0 or at least 1e-60"):
                instance.replace(channel=channel)
