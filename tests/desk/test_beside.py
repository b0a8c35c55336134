"""This week's edition beside the last one."""

from tests import builders as b

from digest.desk.beside import SECTIONS, beside
from digest.edition.content import Edition
from digest.edition.story_facts import Story


def story(about: str, section: str = "arrivals", source: str = "livebench") -> Story:
    return Story.model_validate(
        {"id": about, "kind": "arrival", "section": section, "source": source, "about": about, "value": 40}
    )


def test_a_story_is_the_same_when_it_is_about_the_same_at_the_same_place() -> None:
    last = b.an_edition(week="2026-W17", stories=(story("kept"), story("gone"), story("moved", source="a")))
    this = b.an_edition(stories=(story("kept"), story("new"), story("moved", source="b")))
    found = beside(this, last)
    assert found.week == "2026-W17"
    assert found.stories == {
        "new": ("new (new models, livebench)", "moved (new models, b)"),
        "kept": ("kept (new models, livebench)",),
        "gone": ("gone (new models, livebench)", "moved (new models, a)"),
    }


def test_a_section_is_new_gone_or_in_both() -> None:
    last = b.an_edition(gone=(b.some_gone(),), movers=())
    this = b.an_edition(gone=(), movers=(b.some_movers(),))
    fates = dict(beside(this, last).sections)
    assert (fates["Withdrawn"], fates["Score changes"], fates["Leaderboards"]) == ("gone", "new", "kept")


def test_every_section_is_a_field_of_an_edition() -> None:
    assert set(SECTIONS) <= set(Edition.model_fields)
