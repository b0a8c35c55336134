"""Names as publishers write them: what a rule knows is understood, and nothing is guessed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.scores.catalog import EFFORTS, resolve


@pytest.mark.parametrize(
    ("raw", "model", "variant"),
    [
        ("aurora-2", "aurora-2", {}),
        ("aurora-2-high", "aurora-2", {"effort": "high"}),
        ("Aurora 2 (high)", "aurora-2", {"effort": "high"}),
        ("aurora-2-thinking-64k-high-effort", "aurora-2-thinking-64k", {"effort": "high"}),
        ("aurora-2-mini-xhigh", "aurora-2-mini", {"effort": "xhigh"}),
        ("Aurora 2 (32k thinking tokens)", "aurora-2", {"thinking": "32k"}),
        ("Aurora 2 (24k think)", "aurora-2", {"thinking": "24k"}),
        ("Aurora 2 (no think)", "aurora-2", {"thinking": "off"}),
        ("Aurora 2 (default think)", "aurora-2", {"thinking": "on"}),
        ("Aurora 2 (prev)", "aurora-2-(prev)", {}),
        ("Aurora 2 + Borealis (high)", "aurora-2-+-borealis-(high)", {}),
        ("high", "high", {}),
        ("aurora-highthinking", "aurora-highthinking", {}),
    ],
)
def test_a_variant_is_known_only_where_the_name_states_it(raw: str, model: str, variant: dict[str, str]) -> None:
    name = resolve(raw)
    assert (name.raw, name.model, name.variant) == (raw, model, variant)


def test_what_stands_before_the_name_is_no_part_of_it() -> None:
    name = resolve("hub/Aurora-Labs/Aurora-2-low")
    assert (name.path, name.model, name.title, name.effort) == ("hub/Aurora-Labs", "aurora-2", "Aurora-2", "low")


@settings(max_examples=100, derandomize=True, deadline=None, database=None)
@given(st.text(max_size=30) | st.sampled_from(EFFORTS).map(lambda effort: f"/{effort}-{effort}"))
def test_any_name_has_a_model(raw: str) -> None:
    name = resolve(raw)
    assert name.raw == raw
    assert name.model or not raw
