"""Sample editions. The figures are LiveBench's of 20 and 27 April 2026, Arena's and Vectara's of their last weeks."""

from datetime import date
from decimal import Decimal
from typing import Any

from digest.config.sections import Series
from digest.config.settings import Settings
from digest.edition.content import Edition
from digest.edition.facts import Disagreement, Figure, Name, Proof, Said, Variant
from digest.edition.section_facts import (
    Arrival,
    Arrivals,
    Board,
    Gone,
    Health,
    MethodNote,
    Money,
    Mover,
    Movers,
    Place,
    Priced,
    PriceList,
)
from digest.edition.story_facts import Promoted

WEEK_17 = Proof(on=date(2026, 4, 20), sha256="055837567a77f00fdbd908913bb41665399754659a60824b6805a4234a46e500")
WEEK_18 = Proof(on=date(2026, 4, 27), sha256="3af2987af69d7cb845a0657dcbcca45789636c81da09ba7f7e3282caf01c514a")


def some_settings() -> Settings:
    return Settings(
        series=Series(
            title="Digest",
            tagline="Weekly LLM benchmarks",
            base_url="https://digest.example",
            postal_address="1 Example Street, 10115 Berlin, Germany",
            contact="hello@digest.example",
        )
    )


def a_name(title: str = "gpt-5.5", effort: str | None = None, **changes: Any) -> Name:
    raw = f"{title}-{effort}" if effort else title
    return Name(**{"model": title, "title": title, "raw": raw, "effort": effort, **changes})


def a_place(
    rank: int,
    name: Name,
    value: str | None,
    before: tuple[int, str] | None = None,
    band: int | None = None,
    **changes: Any,
) -> Place:
    """A row of a board; without `before` it is new, and without `band` it is told apart from every other."""
    moved = None if before is None else "same" if before[0] == rank else "up" if rank < before[0] else "down"
    facts = {
        "name": name,
        "rank": rank,
        "band": band or rank,
        "tied": band is not None,
        "score": Figure(value=Decimal(value) if value else None, rank=rank),
        "previous": Figure(value=Decimal(before[1]), rank=before[0]) if before else None,
        "movement": moved or "new",
    }
    return Place(**{**facts, **changes})


def a_board(**changes: Any) -> Board:
    """LiveBench of week 18: gpt-5.5 on top by 0.43, which is a tie with a margin of 1.0."""
    facts = {
        "source": "livebench",
        "title": "LiveBench",
        "benchmark": "overall",
        "unit": "%",
        "higher_is_better": True,
        "uncertainty": "margin",
        "margin": Decimal("1.0"),
        "leader": "new_but_tied",
        "previous_leader": a_name("gpt-5.4", "xhigh"),
        "change": "c1",
        "places": (
            a_place(1, a_name("gpt-5.5", "xhigh"), "80.71", band=1),
            a_place(2, a_name("gpt-5.4", "xhigh"), "80.28", (1, "80.28"), band=1),
            a_place(3, a_name("gemini-3.1-pro-preview", "high"), "79.93", (2, "79.93"), band=1),
            a_place(4, a_name("claude-opus-4.7", "xhigh"), "76.91", band=4),
            a_place(5, a_name("claude-opus-4.6", "high", thinking="on"), "76.33", (3, "76.33"), band=4),
            a_place(6, a_name("gpt-5.5", "high"), "76.24", band=4),
            a_place(7, a_name("claude-opus-4.5", "high", thinking="64k"), "75.96", (4, "75.96"), band=4),
        ),
        "ranked": 105,
        "unranked": 1,
        "current": WEEK_18,
        "previous": WEEK_17,
    }
    return Board(**{**facts, **changes})


def a_quiet_board(**changes: Any) -> Board:
    places = tuple(place.model_copy(update={"movement": "same", "previous": place.score}) for place in a_board().places)
    return a_board(**{"leader": "unchanged", "previous_leader": None, "change": None, "places": places, **changes})


def a_rating_board(**changes: Any) -> Board:
    """Arena text of 28 April 2025: ratings with a published interval, the first row clear of the others."""
    rows = (
        ("gemini-2.5-pro-exp-03-25", "1438.6795", "1433.4566", "1445.1791", 1, (1, "1439.1769"), None),
        ("o3-2025-04-16", "1418.0693", "1409.3261", "1431.5866", 2, None, 2),
        ("chatgpt-4o-latest-20250326", "1408.1198", "1403.0228", "1414.4603", 3, (3, "1409.7691"), 2),
        ("grok-3-preview-02-24", "1402.4528", "1397.3248", "1406.5332", 4, (4, "1402.5414"), 3),
        ("early-grok-3", "1401.6981", "1396.7400", "1406.5706", 5, (5, "1401.5694"), 3),
    )
    facts = {
        "source": "lmarena_text",
        "title": "Arena text",
        "benchmark": "full",
        "unit": "rating",
        "uncertainty": "interval",
        "margin": None,
        "leader": "unchanged",
        "previous_leader": None,
        "change": None,
        "places": tuple(
            a_place(
                rank,
                a_name(name),
                value,
                before,
                band,
                score=Figure(value=Decimal(value), rank=rank, low=Decimal(low), high=Decimal(high)),
            )
            for name, value, low, high, rank, before, band in rows
        ),
        "ranked": 222,
        "unranked": 0,
    }
    return a_board(**{**facts, **changes})


def a_lower_is_better_board(**changes: Any) -> Board:
    """Vectara: a rate of hallucinations, with a new first row that is clear of the second."""
    facts = {
        "source": "vectara",
        "title": "Vectara hallucination",
        "benchmark": "Hallucination Rate",
        "higher_is_better": False,
        "margin": Decimal("0.5"),
        "leader": "new_leader",
        "previous_leader": a_name("gemini-2.5-flash-lite", raw="google/gemini-2.5-flash-lite"),
        "change": "c2",
        "places": (
            a_place(1, a_name("finix_s1_32b", raw="antgroup/finix_s1_32b"), "1.8"),
            a_place(2, a_name("gemini-2.5-flash-lite"), "3.3", (1, "3.3"), band=2),
            a_place(3, a_name("Phi-4"), "3.7", (2, "3.7"), band=2),
            a_place(4, a_name("Llama-3.3-70B-Instruct-Turbo"), "4.1", (3, "4.1"), band=3),
            a_place(5, a_name("gemma-3-12b-it"), "4.4", (5, "4.4"), band=3),
        ),
        "ranked": 82,
        "unranked": 0,
    }
    return a_board(**{**facts, **changes})


def some_arrivals(**changes: Any) -> Arrivals:
    def arrival(
        name: Name, rank: int | None, value: str | None, also: tuple[Variant, ...] = (), **more: Any
    ) -> Arrival:
        facts = {"tied": False, "measured": 23, "benchmarks": 23, "also": also, **more}
        return Arrival(change="a", name=name, rank=rank, value=Decimal(value) if value else None, **facts)

    def variant(effort: str, rank: int, value: str) -> Variant:
        return Variant(name=a_name("x", effort), rank=rank, value=Decimal(value))

    opus = (variant("high", 11, "74.89"), variant("medium", 19, "72.31"), variant("low", 30, "69.13"))
    facts = {
        "source": "livebench",
        "title": "LiveBench",
        "unit": "%",
        "rows": 8,
        "models": (
            arrival(a_name("gpt-5.5", "xhigh"), 1, "80.71", (variant("high", 6, "76.24"),), tied=True),
            arrival(a_name("claude-opus-4.7", "xhigh"), 4, "76.91", opus, tied=True),
            arrival(a_name("kimi-k2.6", thinking="on"), 20, "72.17"),
            arrival(a_name("elephant-alpha"), 101, "35.97"),
        ),
        "folded": 0,
    }
    return Arrivals(**{**facts, **changes})


def some_movers(**changes: Any) -> Movers:
    """Aider polyglot of 30 June 2025: two runs measured again."""
    o3 = Mover(
        change="m1",
        reason="rerun",
        name=a_name("o3", "high"),
        before=Figure(value=Decimal("79.6"), rank=3),
        after=Figure(value=Decimal("81.3"), rank=2),
    )
    pair = Mover(
        change="m2",
        reason="rerun",
        name=a_name("o3 + gpt-4.1", "high"),
        before=Figure(value=Decimal("82.7"), rank=2),
        after=Figure(value=Decimal("78.2"), rank=4),
    )
    facts = {
        "source": "aider",
        "title": "Aider polyglot",
        "benchmark": "pass_rate_2",
        "unit": "%",
        "higher_is_better": True,
        "movers": (o3, pair),
        "folded": 0,
        "within_noise": 0,
        "current": WEEK_18,
        "previous": WEEK_17,
    }
    return Movers(**{**facts, **changes})


def a_price(what: str, name: Name, ids: int = 1, **figures: tuple[str | None, str | None]) -> Priced:
    """A price entry; each figure is (before, after) as text, for example `input=("60", "30")`."""
    told = tuple(
        Money(measure=measure, before=Decimal(was) if was else None, after=Decimal(now) if now else None)
        for measure, (was, now) in figures.items()
    )
    return Priced(change="p", what=what, name=name, figures=told, ids=ids)


def some_prices(**changes: Any) -> PriceList:
    """LiteLLM's list of week 18."""
    facts = {
        "source": "litellm",
        "title": "LiteLLM prices",
        "current": WEEK_18,
        "previous": WEEK_17,
        "priced": (
            a_price("new", a_name("gpt-5.5"), 2, input=(None, "5"), output=(None, "30"), context=(None, "1050000")),
            a_price(
                "new", a_name("gpt-5.5-pro"), 2, input=(None, "60"), output=(None, "360"), context=(None, "1050000")
            ),
            a_price("new", a_name("kimi-k2.6"), input=(None, "0.95"), output=(None, "4"), context=(None, "262144")),
            a_price("changed", a_name("gemini-embedding-2-preview", host="Vertex AI"), input=("0.20", "0.15")),
            a_price("withdrawn", a_name("luminous-base"), input=("30", None), output=("33", None)),
            a_price("filled_in", a_name("mistral-small-3"), input=(None, "0.028"), context=(None, "128000")),
        ),
        "folded": 12,
    }
    return PriceList(**{**facts, **changes})


def a_halved_price(**changes: Any) -> PriceList:
    half = a_price("changed", a_name("gpt-5.5-pro"), 4, input=("60", "30"), output=("360", "180"))
    return some_prices(**{"priced": (half,), "folded": 0, **changes})


def some_gone(**changes: Any) -> Gone:
    names = tuple(a_name(f"luminous-{size}") for size in ("base", "extended", "supreme"))
    return Gone(**{"source": "litellm", "title": "LiteLLM prices", "names": names, "folded": 3, **changes})


def a_disagreement(**changes: Any) -> Disagreement:
    facts = {
        "change": "d",
        "fact": "swe-bench-verified qwen3.5-397b",
        "name": a_name("Qwen3.5 397B"),
        "measure": "SWE-bench Verified",
        "unit": "%",
        "said": (
            Said(source="a", title="Local LLM notes", value=Decimal("76.4"), on=date(2026, 3, 2)),
            Said(source="b", title="Side by side", value=Decimal("42"), on=date(2026, 3, 9)),
        ),
    }
    return Disagreement(**{**facts, **changes})


def a_method_note(**changes: Any) -> MethodNote:
    facts = {"change": "n", "source": "livebench", "title": "LiveBench", "kind": "benchmark_added"}
    return MethodNote(**{**facts, "benchmark": "consecutive_events", "rows": 65, **changes})


def a_promoted(**changes: Any) -> Promoted:
    """A move inside the margin that an editor shows all the same."""
    facts = {
        "change": "q",
        "reason": "below_threshold",
        "source": "livebench",
        "title": "LiveBench",
        "name": a_name("gpt-5.4", "xhigh"),
        "benchmark": "overall",
        "unit": "%",
        "before": Figure(value=Decimal("80.12"), rank=2),
        "after": Figure(value=Decimal("80.28"), rank=2),
        "remarks": (("en", "Third week in a row."), ("de", "Third week in a row.")),
    }
    return Promoted(**{**facts, **changes})


def a_source(title: str = "LiveBench", status: str = "fresh", counted: int = 106, **changes: Any) -> Health:
    facts = {
        "source": title.lower().split()[0],
        "title": title,
        "status": status,
        "home": f"https://{title.lower().split()[0]}.example/",
        "licence": "none stated",
        "counted": counted,
        "counted_as": "models",
        "current": WEEK_18,
        "previous": WEEK_17,
        "age_days": 0,
    }
    return Health(**{**facts, **changes})


def a_stale_source(**changes: Any) -> Health:
    old = Proof(on=date(2026, 2, 9), sha256="75aa0fcdce182fbff6d4dd41bd258ff4149906219b2ff72bdebdae70db0f4b11")
    return a_source(
        "Vectara hallucination",
        "stale",
        82,
        **{"current": old, "previous": old, "changed_on": old.on, "age_days": 77, **changes},
    )


def a_failed_source(**changes: Any) -> Health:
    facts = {"current": WEEK_17, "age_days": 14, "detail": "the server answered 503 three times"}
    return a_source(**{"title": "Arena text", "status": "failed", "counted": 0, **facts, **changes})


def an_edition(**changes: Any) -> Edition:
    """No. 18, week 18 of 2026. Give any field to change it."""
    facts = {
        "series": "Digest",
        "tagline": "Weekly LLM benchmarks",
        "number": 18,
        "week": "2026-W18",
        "starts": date(2026, 4, 27),
        "previous_week": "2026-W17",
        "boards": (a_board(),),
        "arrivals": (some_arrivals(),),
        "movers": (some_movers(),),
        "prices": (some_prices(),),
        "gone": (),
        "disagreements": (),
        "method": (),
        "health": (
            a_source(),
            a_source("Aider polyglot", counted=59),
            a_source("LiteLLM prices", counted=2687, counted_as="ids"),
            a_stale_source(),
        ),
    }
    return Edition(**{**facts, **changes})


def an_empty_edition(**changes: Any) -> Edition:
    """An edition without a single story; give what it should hold."""
    sections = ("boards", "arrivals", "movers", "prices", "gone", "disagreements", "method", "health")
    nothing: dict[str, Any] = dict.fromkeys(sections, ())
    return an_edition(**{**nothing, **changes})


def a_full_edition() -> Edition:
    """As much as a real week can bring: three boards of seven rows, eight arrivals, two price lists of seven."""
    board, prices = a_board(), some_prices()
    arrivals = some_arrivals(models=some_arrivals().models * 2, rows=16, folded=3)
    seven = (*prices.priced, prices.priced[0])
    return an_edition(
        boards=(
            board,
            a_rating_board(places=(*a_rating_board().places, *a_rating_board().places[-2:])),
            a_lower_is_better_board(places=(*a_lower_is_better_board().places, *a_lower_is_better_board().places[-2:])),
        ),
        arrivals=(arrivals,),
        movers=(some_movers(movers=some_movers().movers * 5, folded=4, within_noise=222),),
        prices=(some_prices(priced=seven), some_prices(priced=seven, source="genai_prices", title="genai-prices")),
        gone=(some_gone(),),
        disagreements=(a_disagreement(), a_disagreement(measure="input", unit="USD")),
        method=(a_method_note(), a_method_note(kind="benchmark_revised", benchmark="overall")),
        health=(*an_edition().health, a_failed_source(), a_source("genai-prices", "unchanged", 1052, counted_as="ids")),
    )
