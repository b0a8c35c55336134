"""The rows of the desk's list of stories: each has a key of its own, by which everything in it is told apart."""

from collections import Counter

from tests.desk.visiting import Editor

from digest.desk.state import Desk
from digest.edition.listed import ListedStory


def stories(desk: Desk) -> tuple[ListedStory, ...]:
    assert desk.draft is not None
    return desk.draft.stories.stories


def test_a_change_that_two_sections_tell_is_two_stories_each_with_a_key(drafted: Desk, editor: Editor) -> None:
    twice = [id_ for id_, count in Counter(one.id for one in stories(drafted)).items() if count > 1]
    first, second = (one for one in stories(drafted) if one.id in twice)
    assert {first.section, second.section} == {"arrivals", "prices"}
    editor.post("/story", {"what": "drop", "story": second.key})
    assert drafted.said[0] == "done"
    told = {one.key: one.told for one in stories(drafted)}
    assert told[second.key] == "dropped"
    assert told[first.key] != "dropped"


def test_every_story_can_be_dropped_pinned_and_moved(drafted: Desk, editor: Editor) -> None:
    for one in stories(drafted):
        for what in ("drop", "pin", "move"):
            editor.post("/story", {"what": what, "story": one.key, "place": "2"})
            assert drafted.said[0] == "done", drafted.said
    (word,) = {override.what for one in stories(drafted) for override in one.overrides}
    assert word == "move"
    assert drafted.draft is not None
    assert drafted.draft.stories.misfits == ()


def test_no_two_elements_of_the_page_have_one_id(editor: Editor) -> None:
    ids = Counter(editor.page().xpath("//@id"))
    assert [name for name, count in ids.items() if count > 1] == []
