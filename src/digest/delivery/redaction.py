"""What another mail system says, made fit to keep: one line that names no mailbox and no network address. Pure.

Relays quote the reader's address in many spellings, and their diagnostics end in the database and in logs.
"""

import re
from collections.abc import Iterable
from itertools import islice
from urllib.parse import unquote

LONGEST_SAID = 200
"""Characters of a diagnostic text that are kept."""

_MOST_READ = 2000  # characters; beyond them a diagnostic says nothing new, and every pattern here stays quick

# An at sign as it is written in mail, in a link, in xtext (RFC 3461), in quoted-printable and HTML, and to hide it.
_AT = r"(?:@|＠|%40|\+40|=40|&#64;|[(\[]\s?at\s?[)\]])"
_ATOM = r"[^\s<>()\[\]:;,\"@＠]"
_LOCAL = rf"(?:\"[^\"]{{0,80}}\"|(?<!{_ATOM}){_ATOM}*)"
_SIGN = re.compile(_AT, re.IGNORECASE)
_ADDRESS = re.compile(rf"<?{_LOCAL}\s?{_AT}\s?(?:\[[^\]]{{0,60}}\]?|{_ATOM}*)>?", re.IGNORECASE)
# A reader's address inside another one: ann=example.org, as variable return paths spell it.
_INSIDE = re.compile(r"[\w.+-]{1,64}=[\w-]{1,63}(?:\.[\w-]{1,63})+")
_STRAY = re.compile(r"\S*[@＠]\S*")  # whatever is left that may be one
_IPV4 = re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.]*\d)")
_IPV6 = re.compile(r"(?<![\w:])(?:IPv6:)?(?=[\da-f:]*::|(?:[\da-f]{1,4}:){7})[\da-f:]{2,}[\d.]*", re.IGNORECASE)
# Every address of either kind holds one of these. Most answers hold none, and one is read for every mail that is sent.
_SUSPECT = re.compile(r"[@＠%=&\[(+]|:[\da-f]{0,4}:|\d\.\d{1,3}\.\d{1,3}\.\d", re.IGNORECASE)


def redacted(text: str, known: Iterable[str] = ()) -> str:
    """One printable line of at most LONGEST_SAID characters without any address of a mailbox or a machine.

    Of the addresses in `known`, and of those in the text, the local part goes too where it stands alone: relays also
    say "no user ann here".
    """
    line = without_addresses(text)
    quoted = _ADDRESS.finditer(text[:_MOST_READ]) if "(address)" in line else iter(())
    for address in (*known, *(found[0] for found in islice(quoted, 20))):
        for name in (piece.strip("<\"' ") for piece in _SIGN.split(address)[:-1]):
            for spelling in (name, unquote(name), name.partition("+")[0]):  # "no user ann" for ann+news@…
                if spelling and spelling.casefold() in line.casefold():
                    line = re.sub(rf"(?<!\w){re.escape(spelling)}(?!\w)", "(address)", line, flags=re.IGNORECASE)
    return line[:LONGEST_SAID].rstrip()


def without_addresses(text: str) -> str:
    """One printable line, in which every address of a mailbox or a machine is replaced by what it was."""
    line = text[:_MOST_READ]
    if not line.isprintable():
        line = "".join(char if char.isprintable() else " " for char in line)
    line = " ".join(line.split())
    if len(text) > _MOST_READ:  # not through the middle of an address, whose first half would no longer look like one
        line = line.rpartition(" ")[0]
    if not _SUSPECT.search(line):
        return line
    line = _STRAY.sub("(address)", _INSIDE.sub("(address)", _ADDRESS.sub("(address)", line)))
    return _IPV4.sub("(host)", _IPV6.sub("(host)", line))
