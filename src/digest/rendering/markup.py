"""Mail markup: MJML, then premailer, then squeezed. The last steps of every mail's HTML part."""

import functools
import logging
import re

from mjml import mjml_to_html
from premailer import Premailer

from digest.config.assets import asset
from digest.errors import DigestError
from digest.rendering.tags import check_tags


def mail_html(markup: str) -> str:
    """The HTML part that MJML markup makes, every style in its element. Raises DigestError for unknown markup, and for
    tags that do not fit together."""
    check_tags(markup)
    return _inlined(_as_html(markup))


_CONTENT = re.compile(r"(<mj-(raw|table|text)\b[^>]*(?<!/)>)(.*?)(</mj-\2>)", re.DOTALL)
_HIDDEN = "display:none;font-size:1px;color:"


def _as_html(markup: str) -> str:
    """What MJML makes of the markup. The HTML inside its elements is kept from it, for it would walk through all of it
    and write it out as it was: most of the time that a mail takes."""
    head, body, rest = markup.partition("<mj-body")
    mark = "held"
    while mark in markup:
        mark += "x"
    held: list[str] = []

    def hold(element: re.Match[str]) -> str:
        held.append(element[3])
        return f"{element[1]}{mark}{len(held) - 1}z{element[4]}"

    try:
        html = str(mjml_to_html(head + body + _CONTENT.sub(hold, rest)).html)
    except (KeyError, ValueError, SyntaxError) as error:
        raise DigestError(f"templates/email/ gives markup that MJML does not know: {error}; correct it.") from error
    # MJML hides the preheader in white on white, which filters take for hidden text.
    html = html.replace(f"{_HIDDEN}#ffffff", f"{_HIDDEN}#15181E", 1)
    return re.sub(f"{mark}([0-9]+)z", lambda place: held[int(place[1])], html)


def _inlined(html: str) -> str:
    """Write templates/email/inline.css into the elements, for clients that drop style sheets.

    MJML's own style sheets stay in the head untouched; premailer would copy its resets into every cell.
    """
    html = html.replace("<!doctype html>", "<!DOCTYPE html>", 1)
    html = html.replace('<style type="text/css"', '<style type="text/css" data-premailer="ignore"')
    premailer = Premailer(
        html,
        css_text=inline_css(),
        keep_style_tags=True,
        strip_important=False,
        allow_network=False,
        allow_loading_external_files=False,
        disable_validation=True,
        cssutils_logging_level=logging.CRITICAL,
        align_floating_images=False,
        disable_basic_attributes=["width", "height"],
    )
    inlined = str(premailer.transform(pretty_print=False))
    return _squeezed(inlined.replace(f'<style type="text/css">{inline_css()}</style>', ""))


@functools.cache
def inline_css() -> str:
    """The styles that are written into the elements: templates/email/inline.css."""
    return (asset("templates") / "email" / "inline.css").read_text(encoding="utf-8")


def _squeezed(html: str) -> str:
    """Drop what only costs bytes, for mail clients clip a message at 102 kB: indentation, spaces between declarations,
    and classes that no style sheet in the head names. Line breaks stay."""
    styles = "".join(re.findall(r"<style[^>]*>(.*?)</style>", html, re.DOTALL))
    named = set(re.findall(r"\.([a-z][\w-]*)", styles))

    def kept_classes(attribute: re.Match[str]) -> str:
        kept = [name for name in attribute[1].split() if name in named]
        return f' class="{" ".join(kept)}"' if kept else ""

    def tidy(tag: re.Match[str]) -> str:
        attributes = re.sub(r' class="([^"]*)"', kept_classes, tag[0])
        return re.sub(r' style="[^"]*"', lambda style: style[0].replace("; ", ";"), attributes)

    return re.sub(r"\s*\n\s*", "\n", re.sub(r"<[a-z][^<>]*>", tidy, html)).strip() + "\n"
