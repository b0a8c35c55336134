"""An editor's word on a week's stories: what it does, what it never does, and how it is taken back."""

import re
from decimal import Decimal
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.edition.edited import SCORES_NOW, Week, a_day_later, word
from tests.edition.figures import untold

from digest.config.settings import Settings
from digest.edition import opening
from digest.edition.content import Edition, Receipt
from digest.edition.overrides import Override, What, standing
from digest.edition.story_points import in_room
from digest.edition.watch_facts import WatchList
from digest.edition.watching import followed, watched
from digest.language import speaking
from digest.rendering.email import render
from digest.rendering.text import render_text

WEEK = Week()
LEAD = WEEK.story("lead", "borealis-1").key
CIRRUS, EMBER = (WEEK.story("mover", name).key for name in ("cirrus-3", "ember-5"))
GALE = WEEK.story("arrival", "gale-7").key
HALF = WEEK.story("price_changed", "aurora-2").key


def names(edition: Edition) -> list[str]:
    return [mover.name.raw for mover in edition.movers[0].movers]


def printed(edition: Edition) -> str:
    return " ".join(render_text(edition, Settings()).split())


def test_without_an_override_nothing_is_another_byte() -> None:
    assert WEEK.edition(()).document() == WEEK.edition().document()
    gone = [word("0" * 12, "drop"), word(CIRRUS, "drop"), word(CIRRUS, "restore")]
    assert WEEK.edition(gone).document() == WEEK.edition().document()


def test_a_dropped_story_is_counted_by_its_section_and_said_by_nothing_else() -> None:
    plain, edited = WEEK.edition(), WEEK.edition([word(CIRRUS, "drop")])
    assert "cirrus-3" in names(plain)
    assert "cirrus-3" not in names(edited)
    assert edited.movers[0].folded == plain.movers[0].folded + 1
    told = (
        f"{opening.subject(edited)} {opening.preheader(edited)} {opening.headline(edited)} {opening.in_brief(edited)}"
    )
    assert "cirrus-3 is up" not in told
    assert "The editor left 1 change of this week out of the lists" in printed(edited)


def test_the_place_of_what_is_dropped_goes_to_the_next_story() -> None:
    week = Week(rows=2)
    first = names(week.edition())
    key = next(one.key for one in week.listing().stories if one.kind == "mover" and first[0] in one.generated)
    edited = names(week.edition([word(key, "drop")]))
    assert len(edited) == 2
    assert first[0] not in edited


def test_a_dropped_lead_is_no_headline_though_the_board_still_shows_it() -> None:
    edited = WEEK.edition([word(LEAD, "drop")])
    assert opening.headline(WEEK.edition()) == "borealis-1 takes first place on Source A"
    assert "takes first place" not in f"{opening.headline(edited)} {opening.in_brief(edited)}"
    assert edited.boards[0].places == WEEK.edition().boards[0].places


def test_a_week_whose_stories_were_all_dropped_never_says_that_nothing_happened() -> None:
    edited = WEEK.edition([word(one.key, "drop") for one in WEEK.listing().stories])
    count = len(WEEK.listing().stories)
    assert opening.headline(edited) == "Week 18 in figures"
    assert f"The editor left {count} changes of this week out" in opening.lead(edited)
    assert not edited.quiet
    first = (opening.subject(edited), opening.preheader(edited), opening.headline(edited), opening.in_brief(edited))
    assert re.search("(?i)no news|nothing|quiet|no change", str(first)) is None


def test_a_watch_list_tells_what_was_dropped_and_what_a_pin_pushed_out() -> None:
    for week in (WEEK, Week(rows=1)):
        for one in week.listing().stories:
            edited = week.edition([word(one.key, "drop")])
            pinned = week.edition([word(one.key, "pin")])
            for model in ("borealis-1", "cirrus-3", "ember-5", "gale-7", "aurora-2"):
                mine = WatchList(models=(model,))
                plain, *others = (watched(mine, followed([it])) for it in (week.edition(), edited, pinned))
                assert plain is not None
                for other in others:
                    assert other is not None
                    assert set(plain.stories) <= set(other.stories)
                    assert other.unchanged == plain.unchanged


def test_a_watch_lists_fragments_are_in_the_mail_of_an_edition_that_dropped_them() -> None:
    plain, edited = (render(WEEK.edition(said), Settings()) for said in ((), [word(CIRRUS, "drop")]))
    assert plain.fragments.keys() == edited.fragments.keys()
    assert "cirrus-3 is up" not in edited.text


def test_a_pinned_story_comes_first_in_its_section_and_in_the_mail() -> None:
    edited = WEEK.edition([word(EMBER, "pin")])
    assert names(edited)[0] == "ember-5"
    assert opening.headline(edited) == "ember-5 is down 6.0 points on Source A"
    assert opening.subject(edited).startswith("ember-5 down 6.0 points")
    twice = WEEK.edition([word(EMBER, "pin"), word(HALF, "pin")])
    assert [point.story for point in opening.points(twice)][:2] == [
        WEEK.story("mover", "ember-5").id,
        WEEK.story("price_changed", "aurora-2").id,
    ]


def test_a_moved_story_stands_at_its_place_or_at_the_end() -> None:
    edited = WEEK.edition([word(EMBER, "move", place=2)])
    assert opening.in_brief(edited)[0].headline == "ember-5 is down 6.0 points on Source A"
    far = WEEK.edition([word(names_key(WEEK, 0), "move", place=99)])
    assert names(far)[-1] == names(WEEK.edition())[0]


def names_key(week: Week, at: int) -> str:
    name = names(week.edition())[at]
    return next(one.key for one in week.listing().stories if one.kind == "mover" and name in one.generated)


def test_the_newest_word_on_a_storys_place_counts_and_a_headline_stays() -> None:
    words = "borealis-1 climbs to the top of Source A"
    said = [word(LEAD, "reword", text=words), word(LEAD, "drop"), word(LEAD, "pin")]
    assert [one.what for one in standing(said)] == ["reword", "pin"]
    assert opening.headline(WEEK.edition(said)) == words
    assert standing([*said, word(LEAD, "restore")]) == ()


def test_a_reworded_headline_is_told_wherever_the_old_one_was_and_in_its_language_alone() -> None:
    words = "Two scores apart: ember-5 down 6.0 points"
    said = [word(EMBER, "pin"), word(EMBER, "reword", text="ember-5 falls 6.0 points on Source A")]
    edited = WEEK.edition(said)
    assert opening.headline(edited) == "ember-5 falls 6.0 points on Source A"
    assert opening.subject(edited).startswith("ember-5 falls 6.0 points on Source A")
    with speaking("de"):
        assert opening.headline(edited) != "ember-5 falls 6.0 points on Source A"
    assert WEEK.misfits([word(EMBER, "reword", text=words)])[0].why == "its figures are not the story's any more"


@pytest.mark.parametrize(
    ("words", "locale"),
    [
        ("ember-5 falls 6.5 points", "en"),
        ("ember-5 falls on Source A", "en"),
        ("ember-5 falls 6.0 points, its 3rd week", "en"),
        ("ember-5 falls 6.0 points to half", "en"),
        ("ember-5 falls 6.0 points in seven days", "en"),
        ("ember-5 falls ６.５ points", "en"),
        ("ember-5 falls 6.0%", "en"),
        ("ember-6 falls 6.0 points", "en"),
        ("ember-5 fällt um 6.0 Punkte", "de"),
        ("ember-5 fällt um 6,1 Punkte", "de"),
        ("", "en"),
        ("x" * 200, "en"),
        ("ember-5 falls\n6.0 points", "en"),
    ],
)
def test_a_headline_that_changes_adds_or_drops_a_figure_has_no_effect(words: str, locale: str) -> None:
    said = [word(EMBER, "reword", text=words, locale=locale)]
    assert WEEK.edition(said).document() == WEEK.edition().document()
    assert len(WEEK.misfits(said)) == 1


@pytest.mark.parametrize(
    ("words", "locale"),
    [
        ("ember-5 falls 6.0 points", "en"),
        ("Ember 5: 6.0 points less on Source A", "en"),
        ("ember-5 fällt um 6,0 Punkte", "de"),
    ],
)
def test_a_headline_with_the_storys_figures_in_other_words_is_heeded(words: str, locale: str) -> None:
    said = [word(EMBER, "pin"), word(EMBER, "reword", text=words, locale=locale)]
    assert WEEK.misfits(said) == ()
    with speaking(locale):
        assert opening.headline(WEEK.edition(said)) == words


def test_markup_in_an_editors_words_is_text() -> None:
    words = "<b>ember-5</b> & {{ co }} fall 6.0 points"
    rendered = render(WEEK.edition([word(EMBER, "pin"), word(EMBER, "reword", text=words)]), Settings())
    assert rendered.subject.startswith("<b>ember-5</b> & {{ co }} fall 6.0 points")
    assert "<b>ember-5</b> & {{" not in rendered.html
    assert "&lt;b&gt;ember-5&lt;/b&gt;" in rendered.html


def test_a_subject_cuts_no_figure_of_a_headline_in_two() -> None:
    assert in_room("one two three four five six seven eight nine 1,050,000 tokens") == (
        "one two three four five six seven eight nine…"
    )


def test_what_was_told_apart_is_shown_with_its_real_reason_and_the_remark() -> None:
    noise = WEEK.apart("below_threshold")
    remark = "Watch delta-4: 55.4 is its best yet."
    edited = WEEK.edition([word(noise.key, "promote", text=remark)])
    (shown,) = edited.promoted
    assert (shown.reason, shown.remarks, shown.name and shown.name.raw) == (
        "below_threshold",
        (("en", remark),),
        "delta-4",
    )
    said = printed(edited)
    assert "Not news by our rules: no uncertainty is published; the difference is within our margin." in said
    assert remark in said
    assert "delta-4" not in f"{opening.subject(edited)} {opening.headline(edited)} {opening.in_brief(edited)}"
    assert noise.id in {receipt.id for receipt in edited.receipts}
    rendered = render(edited, Settings())
    assert "within our margin" in rendered.html
    assert "innerhalb unserer Spanne" in rendered.in_language("de").text


def test_a_remark_is_told_in_its_own_language_alone_and_in_full() -> None:
    noise = WEEK.apart("below_threshold")
    english, german = ("Small, worth a look. " * 20)[:415].strip(), "Klein, doch einen Blick wert."
    only = WEEK.edition([word(noise.key, "promote", text=german, locale="de")])
    assert "Not news by our rules" in printed(only)
    assert german not in printed(only)
    both = [word(noise.key, "promote", text=german, locale="de"), word(noise.key, "promote", text=english)]
    assert WEEK.misfits(both) == ()
    assert english in printed(WEEK.edition(both))
    assert german not in printed(WEEK.edition(both))
    with speaking("de"):
        assert german in printed(WEEK.edition(both))
        assert english not in printed(WEEK.edition(both))
    assert WEEK.misfits([word(noise.key, "promote", text="x" * 421)])[0].why


def test_a_remark_with_a_figure_of_its_own_and_a_promoted_story_have_no_effect() -> None:
    noise = WEEK.apart("below_threshold")
    wrong = [word(noise.key, "promote", text="Up by 12 points"), word(LEAD, "promote", text="Look")]
    assert [misfit.why for misfit in WEEK.misfits(wrong)] == [
        "its remark has a figure that the change does not",
        "it is news by now, and told as such",
    ]
    assert WEEK.edition(wrong).document() == WEEK.edition().document()


def test_an_override_survives_that_its_source_is_fetched_again_and_its_figures_are_checked_anew() -> None:
    said = [word(EMBER, "drop"), word(CIRRUS, "reword", text="cirrus-3 climbs 8.0 points")]
    again = Week(a_day_later({**SCORES_NOW, "cirrus-3": 70}))
    assert "ember-5" not in names(again.edition(said))
    assert [(misfit.override.what, misfit.why) for misfit in again.misfits(said)] == [
        ("reword", "its figures are not the story's any more")
    ]


def test_an_override_whose_story_left_the_week_is_named() -> None:
    still = Week(a_day_later({**SCORES_NOW, "ember-5": 50}))
    (misfit,) = still.misfits([word(EMBER, "drop", about="ember-5 is down 6.0 points")])
    assert misfit.why == "its story is not in the week any more"
    assert misfit.override.about == "ember-5 is down 6.0 points"


def test_the_list_of_stories_says_how_each_reads_what_it_is_worth_why_where_and_from_what() -> None:
    found = WEEK.listing([word(EMBER, "pin"), word(CIRRUS, "drop")])
    first = found.stories[0]
    assert (first.key, first.told, first.reason) == (EMBER, "headline", "rerun")
    assert [override.what for override in first.overrides] == ["pin"]
    assert isinstance(first.receipt, Receipt)
    assert first.receipt.previous is not None
    assert (first.receipt.previous.raw, first.receipt.previous.value) == ("ember-5", Decimal(50))
    assert len(first.receipt.previous.sha256) == 64
    assert next(one.told for one in found.stories if one.key == CIRRUS) == "dropped"
    plain = WEEK.listing().stories
    places = ["headline", *["brief"] * 3]
    assert [one.told for one in plain[:4]] == places
    assert [one.generated for one in plain[:1]] == [opening.headline(WEEK.edition())]
    values = [one.value for one in plain if one.told == "count"]
    assert values == sorted(values, reverse=True)
    assert len({one.key for one in found.stories}) == len(found.stories)


def test_what_was_told_apart_is_grouped_by_reason_with_a_key_and_a_sentence_each() -> None:
    apart = WEEK.listing().apart
    assert "below_threshold" in apart
    assert [one.sentence for one in apart["below_threshold"]] == [
        "delta-4 on Source A main went from 55.00 to 55.40: no uncertainty is published; the difference is within our "
        "margin."
    ]
    keys = [one.key for group in apart.values() for one in group]
    assert len(keys) == len(set(keys))


FIELDS = {"movers": "movers", "arrivals": "models", "prices": "priced"}


def listed(edition: Edition) -> set[str]:
    """Every row that the lists of an edition hold, with its figures, as JSON."""
    parts = [(part, rows) for section, rows in FIELDS.items() for part in getattr(edition, section)]
    return {row.model_dump_json() for part, rows in parts for row in getattr(part, rows)}


EVERY = listed(WEEK.edition())
KEYS = [one.key for one in WEEK.listing().stories]
APART = [one.key for group in WEEK.listing().apart.values() for one in group]
WORDS = st.one_of(
    st.text(max_size=60),
    st.sampled_from(["borealis-1 leads by 10.0 points", "ember-5 falls 6.0 points", "80 to 9%", "Digest 5", "…", "²"]),
)
OVERRIDES = st.builds(
    word,
    st.sampled_from([*KEYS, *APART, "0" * 12, ""]),
    st.sampled_from(["drop", "pin", "move", "reword", "promote", "restore"]),
    place=st.one_of(st.none(), st.integers(1, 30)),
    locale=st.sampled_from(["en", "de"]),
    text=WORDS,
)


@given(st.lists(OVERRIDES, max_size=12), st.sampled_from([WEEK, Week(rows=2)]))
@settings(max_examples=150, derandomize=True, deadline=None)
def test_no_sequence_of_overrides_changes_a_figure_or_raises_and_taking_all_back_leaves_no_trace(
    said: list[Override], week: Week
) -> None:
    plain, edited = week.edition(), week.edition(said)
    assert listed(edited) <= EVERY
    assert (edited.boards, edited.standings, edited.health, edited.quiet) == (
        plain.boards,
        plain.standings,
        plain.health,
        plain.quiet,
    )
    assert {story.id for story in edited.stories} == {story.id for story in plain.stories}
    for locale in ("en", "de"):
        with speaking(locale):
            assert len(opening.subject(edited)) <= 50
            assert opening.points(edited)
            render_text(edited, Settings())
    assert (
        untold(edited, "\n".join([opening.subject(edited), opening.preheader(edited), opening.headline(edited)])) == []
    )
    back: list[Override] = [*said, *(word(key, "restore") for key in {one.story for one in said})]
    assert week.edition(back).document() == plain.document()
    week.misfits(said)
    week.listing(said)


def test_every_kind_of_override_is_one_of_the_vocabulary() -> None:
    assert set(get_args(What)) == {"drop", "pin", "move", "reword", "promote", "restore"}
