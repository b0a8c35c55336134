"""The mail of one reader, as it would be sent; and how a frame shows it."""

import re
from email import message_from_bytes, policy

import pytest
from tests.desk.visiting import Editor

from digest.database import writing
from digest.desk.headers import MEANINGS
from digest.desk.mails import mail_to, place_of, shown_in
from digest.desk.readers import As, parse_as, reader_as
from digest.desk.state import Desk
from digest.errors import DigestError, UsageError
from digest.operations.demo import NOW
from digest.subscribers import links, store

HTML = (
    '<html><head><meta name="color-scheme" content="light dark"><style>:root { color-scheme: light dark; }\n'
    "@media (prefers-color-scheme: dark) { p { color: white } }</style></head>"
    '<body class="b"><h1 class="h">First</h1><h2>The <b>prices</b></h2><div class="x foot">end</div></body></html>'
)


def test_a_scheme_is_forced_whichever_the_browser_has() -> None:
    dark, light = shown_in(HTML, "dark"), shown_in(HTML, "light")
    assert "@media (min-width: 0) { p" in dark
    assert "@media (max-width: 0) { p" in light
    assert 'content="dark"' in dark
    assert ":root { color-scheme: light; }" in light


def test_each_section_is_a_place_to_go_to() -> None:
    places = re.findall(r' id="([^"]*)"', shown_in(HTML, "light"))
    assert places == ["at-masthead", "at-opening", "at-the-prices", "at-footer"]
    assert place_of("The prices") == "at-the-prices"
    assert '<base target="_blank">' in shown_in(HTML, "light")


def whole(drafted: Desk, chosen: As) -> tuple[str, str]:
    """The text of a reader's mail, and all of it as it goes over the wire."""
    assert drafted.draft is not None
    reader = reader_as(drafted.engine, chosen, drafted.draft, NOW)
    mail = mail_to(reader.subscriber, drafted.draft, reader.last_week)
    return mail.text, mail.raw.decode()


def test_a_subscriber_and_a_made_up_reader_of_the_same_kind_get_the_same_words(drafted: Desk) -> None:
    known, _ = whole(drafted, As(email="ada@example.org"))
    made_up, _ = whole(drafted, As(country="DE"))
    assert re.sub(r"unsubscribe/\S+", "", known) == re.sub(r"unsubscribe/\S+", "", made_up)


def test_rules_language_topics_and_a_watch_list_are_the_readers(drafted: Desk) -> None:
    korean, _ = whole(drafted, As(country="KR"))
    german, _ = whole(drafted, As(country="DE", locale="de"))
    few, _ = whole(drafted, As(topics=("prices",)))
    following, _ = whole(drafted, As(follows="claude-opus-4-5"))
    assert "You agreed on" in korean
    assert "In Kürze" in german
    assert "Your topics: Prices and context" in few
    assert "Your watch list" in following


def test_the_links_of_a_preview_open_nothing(drafted: Desk) -> None:
    _, raw = whole(drafted, As(email="ada@example.org"))
    sent = message_from_bytes(raw.encode(), policy=policy.default)
    token = sent["List-Unsubscribe"].strip("<>").rpartition("/")[2]
    with writing(drafted.engine) as connection:
        keys = store.link_keys(connection, drafted.settings.links, NOW)
    assert links.read(token, links.UNSUBSCRIBE, keys, NOW) is None
    assert links.read(token, links.UNSUBSCRIBE, (bytes(32),), NOW) is not None


def test_every_header_that_is_sent_is_explained(drafted: Desk) -> None:
    assert drafted.draft is not None
    reader = reader_as(drafted.engine, As(country="KR", locale="de"), drafted.draft, NOW)
    mail = mail_to(reader.subscriber, drafted.draft, None)
    assert [header.name for header in mail.headers if not (header.standard and header.why)] == []
    assert {"DKIM-Signature", "Content-Transfer-Encoding"} <= set(MEANINGS)


@pytest.mark.parametrize("form", [{"country": "Germany"}, {"country": "9"}, {"locale": "xx"}, {"format": "fax"}])
def test_a_reader_who_cannot_be_is_one_sentence(form: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        parse_as(form, [])


def test_nobody_and_nothing_are_said_to_be_so_without_the_address(drafted: Desk) -> None:
    assert drafted.draft is not None
    with pytest.raises(UsageError, match="nobody who can be shown") as caught:
        reader_as(drafted.engine, As(email="nobody@example.org"), drafted.draft, NOW)
    assert "nobody@" not in str(caught.value)
    with pytest.raises(DigestError, match="gtp-9"):
        reader_as(drafted.engine, As(follows="gtp-9"), drafted.draft, NOW)


def test_an_address_is_in_no_repr() -> None:
    assert "ada" not in repr(As(email="ada@example.org"))


def test_the_page_shows_why_and_with_which_duties(editor: Editor) -> None:
    assert editor.post("/as", {"email": "Minji@example.net"}).status_code == 303
    assert "The country is KR" in editor.reads("why")
    assert "In South Korea an edition says when and how you agreed to get it." in editor.reads("why")
    assert "minji@example.net" in editor.reads("mails", "/?view=raw")
