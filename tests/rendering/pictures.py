"""Facts that charts are drawn from."""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from digest.edition.frontier import ScoreByPrice, Spot
from digest.edition.history import Placing, RankHistory, Track

MONDAY = date(2026, 4, 27)
HOSTILE = '<script>alert("1")</script> & \u202e{{ 7*7 }} javascript:x'


def a_history(ranks: Mapping[str, Any], **changes: Any) -> RankHistory:
    """Places by model and week, the last week that of MONDAY; the places 1 and 2 could be first."""
    count = max(map(len, ranks.values()))
    read = tuple(any(places[week] for places in ranks.values()) for week in range(count))
    facts = {
        "source": "LiveBench",
        "benchmark": "overall",
        "higher_is_better": True,
        "weeks": tuple(MONDAY - timedelta(weeks=back) for back in reversed(range(count))),
        "read": read,
        "tied": tuple(2 if was else 0 for was in read),
        "anew": (False,) * count,
        "tracks": tuple(
            Track(title, tuple(Placing(rank, rank <= 2) if rank else None for rank in places))
            for title, places in ranks.items()
        ),
        "first": tuple(title for title, places in ranks.items() if (places[-1] or 9) <= 2),
    }
    return RankHistory(**{**facts, **changes})


def a_cloud(*spots: tuple[str, str, str], **changes: Any) -> ScoreByPrice:
    """Spots as (title, score, price), the cheapest first, of which those that nothing beats are found here."""
    beaten = {
        one
        for one in spots
        for other in spots
        if (Decimal(other[1]), -Decimal(other[2])) != (Decimal(one[1]), -Decimal(one[2]))
        and Decimal(other[1]) >= Decimal(one[1])
        and Decimal(other[2]) <= Decimal(one[2])
    }
    facts = {
        "where": "LiveBench overall",
        "benchmark": "overall",
        "unit": "%",
        "higher_is_better": True,
        "scored_on": MONDAY,
        "prices": "LiteLLM prices",
        "price_unit": "USD per 1M tokens, 3 in to 1 out",
        "priced_on": MONDAY,
        "spots": tuple(
            Spot(title, title, Decimal(score), Decimal(price), (title, score, price) not in beaten)
            for title, score, price in sorted(spots, key=lambda spot: Decimal(spot[2]))
        ),
        "unpriced": 0,
    }
    return ScoreByPrice(**{**facts, **changes})


def alike(count: int = 30) -> list[tuple[str, str, str]]:
    """So many models of one family, near to each other."""
    return [
        (f"qwen3-235b-a22b-instruct-25{place:02}", str(60 + place * 7 % 11), str(Decimal(1) + Decimal(place % 6) / 20))
        for place in range(count)
    ]
