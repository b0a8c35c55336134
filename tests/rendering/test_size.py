"""No mail is clipped: what folds away, for whom, and that a mail which fits is left alone."""

import functools
import re
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from tests import builders as b
from tests.edition.corrections import a_correction
from tests.rendering.test_feeds import everything

from digest.edition.content import Edition, Note
from digest.edition.facts import Name, Variant
from digest.edition.markdown import as_html, as_text, parsed
from digest.edition.rendered import Rendered
from digest.edition.renditions import Duty
from digest.edition.section_facts import Gone, Place, Renamed
from digest.edition.store import StoredEdition, envelope_of
from digest.language import LOCALES
from digest.operations.checking import largest_watch_list, specimens
from digest.rendering import fragments
from digest.rendering.email import render
from digest.rendering.lint.page import Specimen, parse
from digest.rendering.lint.parts import check_facts
from digest.subscribers.regimes import duties, packaged_regimes

CLIPPED = 102_000  # bytes of HTML; Gmail shows no more
SETTINGS = b.some_settings()
ROWS, SOURCES = 40, 5


@functools.cache
def every_duty() -> dict[str, tuple[Duty, ...]]:
    """What each region that is known asks of a mail that advertises, and one that asks for more than any does."""
    known = {code: duties(regime, "edition", True) for code, regime in packaged_regimes(None).by_code.items()}
    return {**known, "XX": (Duty("complaints"), Duty("consent"), *(Duty("notice", f"{n} & " * 500) for n in "abc"))}


def name_of(number: int) -> Name:
    """As long as a name is shown, and longer: in markup `&` takes five bytes, a Chinese character three."""
    title = f"m{number}-" + "模&" * 40
    return b.a_name(title, "extremely-high", thinking="128k", date="2026-04-27", host="Vertex & Bedrock")


@functools.cache
def monster() -> Edition:
    """Forty rows in each list of each of five sources, everything there is, and names as long as they are shown."""
    full, names = everything(), [name_of(number) for number in range(ROWS)]
    sources = [{"source": f"s{n}", "title": f"Source {n} & {'long ' * 20}"} for n in range(SOURCES)]
    also = tuple(Variant(name=name, rank=9, value=Decimal(1)) for name in names[:5])
    arrival, mover = b.some_arrivals().models[1], b.some_movers().movers[1]
    priced, correction = b.some_prices().priced[0], a_correction()

    def each(row: Any, **more: Any) -> tuple[Any, ...]:
        return tuple(row.model_copy(update={"change": f"{n}", "name": name, **more}) for n, name in enumerate(names))

    renamed = Renamed(change="r", source="s", title="S", before=names[0], after=names[1], rows=1)
    return full.model_copy(
        update={
            "boards": tuple(b.a_board(places=tuple(places(names)), ranked=ROWS, **source) for source in sources),
            "arrivals": tuple(b.some_arrivals(models=each(arrival, also=also), rows=400, **it) for it in sources),
            "movers": tuple(b.some_movers(movers=each(mover), within_noise=9, **source) for source in sources),
            "prices": tuple(b.some_prices(priced=each(priced, also_in=("X & Y",) * 5), **it) for it in sources),
            "gone": tuple(Gone(names=tuple(names), folded=3, **source) for source in sources),
            "disagreements": each(b.a_disagreement()),
            "corrections": each(correction),
            "method": tuple(b.a_method_note(change=f"n{n}", benchmark="b & " * 40) for n in range(ROWS)),
            "renamed": (renamed,) * ROWS,
            "health": tuple(b.a_failed_source(**{**source, "detail": "no & " * 40}) for source in sources),
            "note": a_long_note(),
        }
    )


def places(names: list[Name]) -> Iterator[Place]:
    for at, name in enumerate(names):
        yield b.a_place(at + 1, name, f"{90 - at * Decimal('0.1'):.2f}", band=1 if at < 40 else 41)


def a_long_note() -> Note:
    tokens = parsed("\n\n".join(f"& & [{n}](https://x.example/{n}{'y' * 100})" for n in range(20)))
    text, links = as_text(tokens)
    markup = as_html(tokens)
    day = b.an_edition().starts
    return Note(title="N & " * 30, on=day, words=80, html=markup, text=text, links=links, whole=markup, more=True)


@functools.cache
def mails() -> tuple[Rendered, tuple[Specimen, ...]]:
    rendered = render(monster(), SETTINGS, [b.an_edition(week="2026-W17")], every_duty())
    stored = StoredEdition("2026-W18", monster(), rendered, envelope_of(SETTINGS), "", "", None)
    return rendered, tuple(specimens(stored, SETTINGS))


@pytest.mark.long
def test_no_mail_of_a_monstrous_week_is_clipped_in_any_language_region_or_format() -> None:
    rendered, looked_at = mails()
    sizes = {mail.rendition: len(mail.html.encode()) for mail in looked_at if mail.html is not None}
    assert max(sizes.values()) < CLIPPED, sizes
    assert {name.split(", ")[2] for name in sizes if name.startswith("full")} > {"XX", "ZZ"}
    for locale in LOCALES:
        assert largest_watch_list(rendered.in_language(locale))[1] == fragments.MOST_STORIES


def test_both_parts_of_a_shortened_mail_tell_the_same() -> None:
    for mail in mails()[1]:
        page = parse(mail.html) if mail.html is not None else None
        assert page is None or list(check_facts(mail, page)) == []


def test_the_same_rows_fold_away_in_each_language() -> None:
    listed = [Counter(re.findall(r"m\d+-模", mails()[0].in_language(locale).text)) for locale in LOCALES]
    assert listed[0] == listed[1]
    assert 10 < listed[0].total() < ROWS


def test_a_mail_that_fits_is_left_alone_to_the_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    fitting = render(b.an_edition(), SETTINGS)
    monkeypatch.setattr(fragments, "MOST_BYTES", 10**6)
    without_an_end = render(b.an_edition(), SETTINGS)
    for locale in LOCALES:
        one, other = fitting.in_language(locale), without_an_end.in_language(locale)
        assert (one.html, one.text) == (other.html, other.text)


def test_no_more_folds_away_than_has_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fragments, "MOST_BYTES", 10**6)
    whole = render(b.a_full_edition(), SETTINGS)
    spare = min(spare_of(whole.in_language(locale)) for locale in LOCALES)
    monkeypatch.setattr(fragments, "MOST_BYTES", 10**6 - spare)
    assert render(b.a_full_edition(), SETTINGS).html == whole.html
    monkeypatch.setattr(fragments, "MOST_BYTES", 10**6 - spare - 1)
    less = render(b.a_full_edition(), SETTINGS)
    rows = [part.count("Re-run") for part in (whole.html, less.html, less.text)]
    assert rows[0] - 2 <= rows[1] == rows[2] < rows[0]  # one row makes room for itself, or two for a line about them


def spare_of(rendered: Rendered) -> int:
    """Bytes that are left beside the largest watch list."""
    assert rendered.frame is not None
    stories = sorted((len(it.html.encode()) + 1 for it in rendered.fragments.values()), reverse=True)
    box = (rendered.frame.html, rendered.frame.note, rendered.frame.more)
    return rendered.frame.room - sum(stories[: fragments.MOST_STORIES]) - sum(len(it.encode()) for it in box)


def test_long_links_of_a_reader_have_their_room() -> None:
    address = f"https://{'a-very-long-name.' * 12}example"
    far = SETTINGS.model_copy(update={"series": SETTINGS.series.model_copy(update={"base_url": address})})
    rendered = render(b.a_full_edition(), far, duties=every_duty())
    stored = StoredEdition("2026-W18", b.a_full_edition(), rendered, envelope_of(far), "", "", None)
    first = next(specimens(stored, far))
    assert first.html is not None
    assert len(first.html.encode()) < CLIPPED


def test_where_nothing_fits_the_shortest_mail_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fragments, "MOST_BYTES", 1000)
    told = render(b.an_edition(), SETTINGS).text
    assert [head in told for head in ("LiveBench: ", "Source health")] == [True] * 2
    assert [head in told for head in ("Movers\n", "New models\n", "Prices\n")] == [False] * 3
    assert render(b.an_empty_edition(), SETTINGS).html
