"""Values in attributes of MJML's tags, which MJML decodes and writes out as they are: each must be escaped twice."""

import re
from collections.abc import Iterator
from pathlib import Path

from jinja2 import Environment, TemplateSyntaxError, nodes

from digest.rendering.lint.page import Finding, in_short

_COMMENT = re.compile(r"\{#.*?#\}|<!--.*?-->", re.DOTALL)
_JINJA = r"\{\{.*?\}\}|\{%.*?%\}"
_PLAIN = r"|\{(?![{%])"
_TAG = re.compile(rf'<mj[\w-]*(?:{_JINJA}|"(?:{_JINJA}|[^"{{]{_PLAIN})*"|[^>"{{]{_PLAIN})*>', re.DOTALL)
_VALUE = re.compile(r"\{\{[-+]?(.*?)[-+]?\}\}|\{%[-+]?\s*(?:include|call|filter)\b.*?%\}", re.DOTALL)


def bare_slots(templates: Path) -> list[Finding]:
    """Every value in an attribute of an `mj-*` tag below `templates` that does not end in `| mj_attribute`.

    An error each; its section is the file and the line.
    """
    return [finding for path in sorted(templates.rglob("*.mjml")) for finding in _of_file(path, templates)]


def _of_file(path: Path, templates: Path) -> Iterator[Finding]:
    source = path.read_text(encoding="utf-8")
    source = _COMMENT.sub(lambda comment: re.sub(r"[^\n]", " ", comment[0]), source)  # lines stay where they are
    for tag in _TAG.finditer(source):
        for value in _VALUE.finditer(source, tag.start(), tag.end()):
            if not _is_escaped(value[1]):
                line = source.count("\n", 0, value.start()) + 1
                where = f"{path.relative_to(templates.parent).as_posix()} line {line}"
                what = (
                    f"{in_short(value[0])} stands bare in an attribute of an MJML tag, which writes it out unescaped."
                )
                yield Finding("error", "attributes", where, what, "End it in `| mj_attribute`.")


def _is_escaped(expression: str | None) -> bool:
    """Whether the filter takes all of an expression; in `a if b else c | mj_attribute` it takes `c` alone."""
    if expression is None:
        return False
    try:
        (output,) = Environment(autoescape=True).parse("{{" + expression + "}}").body
    except (TemplateSyntaxError, ValueError):
        return False
    (node,) = output.nodes if isinstance(output, nodes.Output) else (None,)
    return isinstance(node, nodes.Filter) and node.name == "mj_attribute"
