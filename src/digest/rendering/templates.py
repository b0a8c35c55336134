"""The templates' environment: built once, strict, escaping in mail markup, and with faults named by file and line."""

import functools
import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError, TemplateSyntaxError, select_autoescape
from markupsafe import escape

from digest.config.assets import asset
from digest.config.settings import Settings
from digest.edition import (
    compared,
    health_words,
    numbers,
    opening,
    pick_words,
    price_words,
    promoted_words,
    source_words,
    story_points,
    terms,
    verdicts,
    wording,
)
from digest.edition.content import Edition
from digest.edition.renditions import TOPICS
from digest.errors import DigestError
from digest.language import message_in, message_of, plural_message_of, spoken
from digest.rendering import reader_words
from digest.rendering.tags import not_utf8


class Slot(str):
    """An opaque token that stands for what differs by reader, until a reader's mail is built.

    Letters and digits only, because the steps after Jinja2 percent-encode anything else in a link.
    """

    __slots__ = ()


def _slot(name: str) -> Slot:
    return Slot(f"digestSlot7{name}7q4ZkV2mXw")


UNSUBSCRIBE_SLOT = _slot("unsubscribeUrl")
WATCH_SLOT = _slot("watchList")

# Around what `renditions.assemble` may leave out or put in, and inside it.
EVERYTHING = "everything"  # beside the topics: what is true of a mail only when nothing was left out
SECTION_BEGINS: Mapping[str, Slot] = {name: _slot(f"begin{name}") for name in (*TOPICS, EVERYTHING)}
SECTION_ENDS: Mapping[str, Slot] = {name: _slot(f"end{name}") for name in (*TOPICS, EVERYTHING)}
REST_SLOT = _slot("rest")
CHOSEN_SLOT = _slot("chosen")
EXTRA_SLOT = _slot("extra")

# What only some readers' mails hold.
CONSENT_SLOT = _slot("consent")
KEEP_SLOT = _slot("keep")
KEEP_URL_SLOT = _slot("keepUrl")
CONSENTED_SLOT = _slot("consentedOn")
LAPSES_SLOT = _slot("lapsesOn")
ACTION_SLOT = _slot("actionUrl")

LIFTED: Mapping[str, tuple[Slot, Slot]] = {
    "keep": (KEEP_SLOT, _slot("keepEnd")),
    "rest": (REST_SLOT, _slot("restEnd")),
    "extra": (EXTRA_SLOT, _slot("extraEnd")),
}
"""What is rendered with the edition, then taken out of it: where each begins and ends in the HTML part."""

# Inside a watch list, which is joined per reader from pieces that are rendered with the edition.
WATCH_END = _slot("watchListEnd")
SINCE_SLOT = _slot("watchSince")
NAME_SLOT = _slot("watchName")
DETAIL_SLOT = _slot("watchDetail")
VALUE_SLOT = _slot("watchValue")
CHANGE_SLOT = _slot("watchChange")
NOTE_SLOT = _slot("watchNote")
MORE_SLOT = _slot("watchMore")

ANY_SLOT = re.compile(_slot("[A-Za-z]+"))


def fill(name: str, facts: Mapping[str, Any], root: Path | None = None) -> str:
    """Render the template `name` (a path below templates/) with `facts`.

    Raises DigestError naming the template's file and line when it cannot be read or asks for what is not there.
    """
    folder = root or asset("templates")
    environment = environment_of(folder)
    try:
        return environment.get_template(name).render(facts)
    except TemplateSyntaxError as error:
        where = f"templates/{error.name} line {error.lineno}"
        raise DigestError(f"{where} is no valid template: {error.message}; correct it.") from error
    except RecursionError as error:
        where = _line_of(error, environment) or f"templates/{name}"
        raise DigestError(f"{where} is part of what it includes itself; take it out of there.") from error
    except UnicodeDecodeError as error:
        where = not_utf8(folder) or f"templates/{name}"
        raise DigestError(f"{where} is not UTF-8; save the file as UTF-8.") from error
    except (TemplateError, LookupError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
        where = _line_of(error, environment) or f"templates/{name}"
        raise DigestError(f"{where} cannot be rendered: {error}; correct the template.") from error


@functools.cache
def environment_of(root: Path) -> Environment:
    """What templates below a folder are read and filled with."""
    environment = Environment(
        loader=FileSystemLoader(root, encoding="utf-8"),
        autoescape=select_autoescape(disabled_extensions=("txt",), default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        extensions=["jinja2.ext.i18n"],
        finalize=without_slots,
    )
    environment.install_gettext_callables(  # type: ignore[attr-defined] # put there by the extension
        message_of, plural_message_of, newstyle=True, pgettext=message_in
    )
    environment.policies["ext.i18n.trimmed"] = True
    environment.globals.update(
        numbers=numbers,
        compared=compared,
        terms=terms,
        verdicts=verdicts,
        pick_words=pick_words,
        opening=opening,
        words=wording,
        price_words=price_words,
        promoted_words=promoted_words,
        left_out=story_points.left_out,
        health_words=health_words,
        source_words=source_words,
        reader_words=reader_words,
        web_address=web_address,
        language=spoken,
        begin=SECTION_BEGINS,
        end=SECTION_ENDS,
        lifted=LIFTED,
        chosen=CHOSEN_SLOT,
        keep={"url": KEEP_URL_SLOT, "consented": CONSENTED_SLOT, "lapses": LAPSES_SLOT},
    )
    environment.filters["mj_attribute"] = mj_attribute
    return environment


def fingerprint(root: Path | None = None) -> str:
    """sha256 of the templates of mails as they are now: their names and bytes."""
    folder, digest = root or asset("templates"), hashlib.sha256()
    for path in sorted(path for part in ("email", "text") for path in (folder / part).rglob("*") if path.is_file()):
        digest.update(f"{path.relative_to(folder).as_posix()}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def without_slots(value: object) -> object:
    """Name no slot in data: only a template may say where a reader's own link or list stands."""
    if isinstance(value, str) and not isinstance(value, Slot) and ANY_SLOT.search(value):
        return type(value)(ANY_SLOT.sub("(no name)", value))
    return value


def mj_attribute(value: object) -> str:
    """A value as it stands in an attribute of an `mj-*` tag: escaped twice, for MJML decodes it once and then writes it
    into its HTML as it is. A slot stays one."""
    return value if isinstance(value, Slot) else escape(str(escape(value)))


def web_address(address: str) -> str:
    """The address when it is one of the web that may stand in a link, else nothing."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    plain = address.isascii() and address.isprintable() and not set(address) & set(" <>\"'`\\")
    return address if plain and parts.scheme in ("https", "http") and parts.hostname else ""


def page_of(edition: Edition, settings: Settings) -> str:
    """The address of an edition's page on the web."""
    return f"{settings.series.base_url.rstrip('/')}/editions/{edition.week}"


def preferences_of(settings: Settings) -> str:
    """The address of the page where a reader asks for a link to the preferences. It names nobody."""
    return f"{settings.series.base_url.rstrip('/')}/preferences"


def contact_of(settings: Settings) -> str:
    """Where questions and complaints go: what [series] names, else where answers to a mail go."""
    return settings.series.contact or settings.mail.reply_to or settings.mail.from_address


def _line_of(error: BaseException, environment: Environment) -> str:
    """The template file and line that an error came from; Jinja2 puts them into the traceback. That is the innermost;
    where templates go round in a circle it is the one that was passed most often."""
    root = str(environment.loader.searchpath[0]) if isinstance(environment.loader, FileSystemLoader) else ""
    passed, trace = list[str](), error.__traceback__
    while trace:
        file = trace.tb_frame.f_code.co_filename
        if root and file.startswith(root):
            passed.append(f"templates/{Path(file).relative_to(root).as_posix()} line {trace.tb_lineno}")
        trace = trace.tb_next
    if isinstance(error, RecursionError):
        return max(passed, key=passed.count, default="")
    return passed[-1] if passed else ""
