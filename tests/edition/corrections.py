"""A figure that a source put right."""

from decimal import Decimal
from typing import Any

from tests.builders import WEEK_17, WEEK_18, a_name

from digest.edition.section_facts import Correction


def a_correction(**changes: Any) -> Correction:
    facts = {
        "change": "k",
        "source": "aider",
        "title": "Aider polyglot",
        "name": a_name("o3", "high"),
        "benchmark": "pass_rate_2",
        "unit": "%",
        "printed": Decimal("80.0"),
        "true": Decimal("82.0"),
        "current": WEEK_18,
        "previous": WEEK_17,
    }
    return Correction(**{**facts, **changes})
