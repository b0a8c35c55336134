"""A reader's mail opens with what they follow: the same pieces for everybody, put together for one."""

import email as email_library
import email.policy
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from lxml import html
from tests import builders as b
from tests.rendering.test_email import HOSTILE, check_golden

from digest.delivery import message
from digest.delivery.message import Own
from digest.delivery.outbox import Mailing
from digest.edition.content import Edition
from digest.edition.facts import Figure
from digest.edition.notes import load_note
from digest.edition.rendered import Rendered
from digest.edition.renditions import Rendition
from digest.edition.store import fingerprint
from digest.edition.watch_facts import Crossing, Threshold, Watched, WatchList
from digest.edition.watching import followed, watched
from digest.language import speaking
from digest.rendering.email import render
from digest.rendering.fragments import MOST_BYTES, MOST_STORIES, NOTHING, Part, join, place
from digest.rendering.renditions import assemble
from digest.rendering.templates import KEEP_SLOT, UNSUBSCRIBE_SLOT, WATCH_SLOT
from digest.rendering.text import put
from digest.subscribers.consent import Consent
from digest.subscribers.store import Subscriber

SETTINGS = b.some_settings()
ANN = Subscriber(4711, "ann@example.org", "ann@example.org", Consent("confirmed"), "en", ())
MAILING = Mailing(1, "edition", "2026-W18", "hash", datetime(2026, 5, 4, 9, 0, tzinfo=UTC), 1)
CROSSING = Crossing(
    threshold=Threshold(category="coding", at_least=Decimal(80), under=Decimal(2)),
    name="kimi-k2.6", source="LiveBench", score=Decimal("81.2"), price_source="LiteLLM prices",
    unit="USD per 1M tokens, 3 in to 1 out", price=Decimal("1.7125"), price_before=Decimal("2.1"),
)  # fmt: skip


def _earlier() -> Edition:
    """Week 17, in which o3 had moved before it moved in week 18."""
    mover = b.some_movers().movers[0]
    figures = {"before": Figure(value=Decimal(70), rank=5), "after": Figure(value=Decimal("79.6"), rank=3)}
    movers = b.some_movers(movers=(mover.model_copy(update={"change": "m0", **figures}),))
    week = {"number": 17, "week": "2026-W17", "previous_week": "2026-W16", "starts": date(2026, 4, 20)}
    return b.an_empty_edition(movers=(movers,), **week)


def _list(rendered: Rendered, **changes: Any) -> Watched:
    return Watched(**{"since": "2026-W18", "missed": 0, "stories": tuple(rendered.fragments), **changes})


def _mail(rendered: Rendered, part: Part) -> Part:
    """A mail for everybody with one reader's list in it."""
    mail = assemble(rendered, Rendition())
    assert mail.html is not None
    html_part = mail.html.replace(place(WATCH_SLOT), part.html).replace(place(KEEP_SLOT), "")
    return Part(html_part, put(put(mail.text, WATCH_SLOT, part.text), KEEP_SLOT, ""))


def _whole(rendered: Rendered, part: Part) -> str:
    return _mail(rendered, part).html


def test_a_mail_opens_with_what_its_reader_follows() -> None:
    edition = b.an_edition()
    rendered = render(edition, SETTINGS)
    told = watched(WatchList(models=("gpt-5.4",)), followed([edition]))
    sent = _sent(rendered, join(told, rendered))
    plain, rich = (sent.get_body((kind,)).get_content().replace("\r\n", "\n") for kind in ("plain", "html"))
    for body in (plain, rich):
        assert body.index("ties for first") < body.index("Your watch list") < body.index("In brief")
    row = html.fromstring(rich).xpath("//tr[th[contains(., 'gpt-5.4')]]")[1]
    assert re.sub(r"\s+", " ", row.text_content()).strip() == (
        "gpt-5.4 xhighLiveBench overall: 80.3, score unchanged. #2, tied▼ down 1"
    )
    assert "gpt-5.4 xhigh                                     #2, tied      ▼ down 1\n    LiveBench" in plain


def _sent(rendered: Rendered, part: Part = NOTHING) -> Any:
    built = message.build(
        message.compile_mail(assemble(rendered, Rendition()), MAILING, SETTINGS), ANN, [b"k" * 32], Own(part)
    )
    return email_library.message_from_bytes(built, policy=email.policy.default)


def test_without_a_list_nothing_of_it_is_in_the_mail() -> None:
    rendered = render(b.an_edition(), SETTINGS)
    assert join(watched(WatchList(), followed([b.an_edition()])), rendered) == NOTHING
    sent = _sent(rendered)
    for kind in ("plain", "html"):
        body = sent.get_body((kind,)).get_content()
        assert "digestSlot" not in body
        assert "Your watch list" not in body
    assert "\n\n\n" not in sent.get_body(("plain",)).get_content().replace("\r\n", "\n")


def test_the_pieces_are_dressed_like_the_rest_of_the_mail() -> None:
    rendered = render(b.an_edition(), SETTINGS)
    fragment = rendered.fragments["m1"].html
    assert fragment.count("<tr") == fragment.count("</tr>") == 1
    assert 'bgcolor="#EEF2FB"' in fragment
    assert "color:#0A6B68" in fragment
    assert "o3" not in _between(rendered.html, "<h1", "In brief")


def _between(text: str, start: str, end: str) -> str:
    return text[text.index(start) : text.index(end)]


def test_the_mail_with_a_list_is_as_well_formed_as_the_one_without() -> None:
    rendered = render(b.an_edition(), SETTINGS)
    for part in (NOTHING, join(_list(rendered, crossings=(CROSSING,), unchanged=("o1",)), rendered)):
        whole = _whole(rendered, part)
        for tag in ("table", "tr", "td", "th", "div"):
            assert len(re.findall(rf"<{tag}[\s>]", whole)) == whole.count(f"</{tag}>"), tag
        assert whole.count("<!--[if") == whole.count("<![endif]-->")
        assert "<!--piece" not in whole


def test_what_several_editions_tell_together_is_among_the_pieces() -> None:
    rendered = render(b.an_edition(), SETTINGS, [_earlier()])
    told = watched(WatchList(models=("o3",)), followed([_earlier(), b.an_edition()]))
    assert told is not None
    assert told.stories == ("m0-m1",)
    assert "was 70.0." in join(told, rendered).text
    assert "+11.3 pt" in join(told, rendered).html
    assert "What changed since Mon 20 Apr" in join(told, rendered).text
    assert "was 79.6." in rendered.fragments["m1"].text


def test_eight_stories_are_told_and_the_others_counted() -> None:
    rendered = render(b.an_edition(), SETTINGS)
    assert len(rendered.fragments) == 9
    part = join(_list(rendered, crossings=(CROSSING, CROSSING)), rendered)
    assert part.html.count('scope="row"') == MOST_STORIES
    assert "3 more stories on your list, on the web" in part.html
    assert part.text.endswith(
        "3 more stories on your list, on the web [1]\n\n[1] https://digest.example/editions/2026-W18\n\n"
    )
    one_more = _list(rendered, stories=tuple(rendered.fragments)[: MOST_STORIES + 1])
    assert "1 more story on" in join(one_more, rendered).html
    assert "more stor" not in join(_list(rendered, stories=("m1",)), rendered).text


def test_a_list_in_german_is_german_in_its_frame_and_its_rows() -> None:
    rendered = render(b.an_edition(), SETTINGS).in_language("de")
    with speaking("de"):
        part = join(_list(rendered, crossings=(CROSSING, CROSSING)), rendered)
    assert "Ihre Merkliste" in part.html
    assert "Your watch list" not in part.html + part.text
    assert "\n3 weitere Meldungen zu Ihrer Merkliste im Web [1]\n" in part.text
    assert max(len(line) for line in part.text.splitlines() if "://" not in line) <= 72


def test_a_crossed_threshold_comes_first_in_the_readers_own_words() -> None:
    rendered = render(b.an_edition(), SETTINGS)
    part = join(_list(rendered, crossings=(CROSSING,), stories=("m1",)), rendered)
    for body in (part.html, part.text):
        assert body.index("kimi-k2.6") < body.index("o3")
        assert "$1.71" in body
        assert "was $2.10" in body
    assert "You asked for at least 80 under $2.00." in part.html


def test_a_list_of_which_nothing_is_told_says_so() -> None:
    rendered = render(b.an_edition(), SETTINGS)
    part = join(_list(rendered, stories=(), unchanged=("o1", "o1-mini")), rendered)
    said = "No story of this edition is about what you follow. Unchanged: o1 and o1-mini."
    assert said in part.html
    assert said in part.text.replace("\n", " ")


def test_where_the_mail_would_be_clipped_the_last_stories_fold_away_first() -> None:
    rendered = render(b.a_full_edition(), SETTINGS)
    frame = rendered.frame
    assert frame is not None
    ids, sizes = tuple(rendered.fragments), []
    for room in (100_000, 6_000, 4_000, 2_600, 100):
        tight = rendered.model_copy(update={"frame": frame.model_copy(update={"room": room})})
        part = join(_list(rendered), tight)
        told = [id_ for id_ in ids if rendered.fragments[id_].html in part.html]
        assert told == list(ids[: len(told)])
        assert len(part.html.encode()) <= room
        assert rendered.fragments[ids[0]].text in part.text
        sizes.append(len(told))
    assert sizes[0] == min(len(ids), MOST_STORIES)
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-2:] == [0, 0]


@pytest.mark.parametrize("edition", [b.an_edition(), b.a_full_edition()])
def test_the_largest_list_keeps_the_mail_below_what_clients_clip(edition: Edition) -> None:
    rendered = render(edition, SETTINGS)
    names = tuple(f"model-{'x' * 200}-{number}" for number in range(100))
    watch = _list(rendered, crossings=(CROSSING,) * 100, unchanged=names, moved=names, withdrawn=names)
    assert len(_whole(rendered, join(watch, rendered)).encode()) < MOST_BYTES


# The same bytes


def test_a_stored_edition_renders_to_the_same_pieces_later() -> None:
    editions = [_earlier(), b.an_edition()]
    stored = [Edition.model_validate_json(edition.document()) for edition in editions]
    first, again = (render(last, SETTINGS, [earlier]) for earlier, last in (editions, stored))
    assert first == again == Rendered.model_validate_json(first.model_dump_json())
    assert first.model_dump_json() == again.model_dump_json()


def test_what_is_approved_covers_every_piece() -> None:
    edition, rendered = b.an_edition(), render(b.an_edition(), SETTINGS)
    fragment = rendered.fragments["m1"].model_copy(update={"text": "other"})
    other = rendered.model_copy(update={"fragments": {**rendered.fragments, "m1": fragment}})
    assert rendered.frame is not None
    boxed = rendered.model_copy(update={"frame": rendered.frame.model_copy(update={"note": "other"})})
    assert len({fingerprint(edition.document(), one.model_dump_json(), "") for one in (rendered, other, boxed)}) == 3


# Hostile names


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_name_is_harmless_in_both_parts_of_a_list(kind: str) -> None:
    rendered = render(_followed_edition(HOSTILE[kind]), SETTINGS)
    hostile, tame = (_joined(rendered, HOSTILE[kind]), _joined(render(_followed_edition("tame"), SETTINGS), "tame"))
    for path in ("//*", "//@*"):
        names = [
            {getattr(one, "attrname", None) or one.tag for one in _all(part.html, path)} for part in (hostile, tame)
        ]
        assert names[0] <= names[1]
    assert set(_all(hostile.html, "//@href")) <= {"https://digest.example/editions/2026-W18"}
    assert UNSUBSCRIBE_SLOT not in hostile.html + hostile.text
    assert "digestSlot" not in (hostile.html + hostile.text).replace(HOSTILE["slot"][:9], "")
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]", hostile.text)
    assert len(hostile.html.encode()) < 20_000


def _followed_edition(text: str) -> Edition:
    name = b.a_name(text, text, raw=text)
    mover = b.some_movers().movers[0].model_copy(update={"name": name, "reason": text})
    return b.an_empty_edition(movers=(b.some_movers(title=text, benchmark=text, unit=text, movers=(mover,)),))


def _joined(rendered: Rendered, text: str) -> Part:
    crossing = CROSSING.model_copy(update={"name": text, "source": text, "price_source": text, "unit": text})
    return join(_list(rendered, crossings=(crossing,), unchanged=(text,), withdrawn=(text,)), rendered)


def _all(source: str, path: str) -> list[Any]:
    found = html.fromstring(source).xpath(path)
    assert isinstance(found, list)
    return found


# As it is looked at


def test_a_mail_with_a_list_and_a_note_is_what_it_was(tmp_path: Path) -> None:
    text = "---\ntitle: What the average hides\ndate: 2026-04-29\nauthor: The editor\n---\n"
    body = (
        "Your work *will not* hide it: see [the method](https://digest.example/method).\n\n- One.\n- Two.\n\n> Said.\n"
    )
    (tmp_path / "2026-W18.md").write_text(f"{text}{body}\n{'More words here. ' * 40}", encoding="utf-8")
    rendered = render(b.an_edition(note=load_note(tmp_path, "2026-W18")), SETTINGS, [_earlier()])
    names = ("gpt-5.4-mini", "o1")
    watch = _list(rendered, since="2026-W17", missed=1, crossings=(CROSSING,), unchanged=names, withdrawn=("o1-mini",))
    whole = _mail(rendered, join(watch, rendered))
    for suffix, content in (("html", whole.html), ("txt", whole.text)):
        check_golden(f"watched.{suffix}", content)
