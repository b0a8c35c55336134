"""The packaged files: templates, data and the default config.toml."""

from contextlib import ExitStack
from importlib import resources
from pathlib import Path

_assets_open = ExitStack()


def asset(name: str) -> Path:
    """The path of a packaged file or folder: `templates`, `data` or `config.toml`.

    Found inside an installed wheel, else at the top of a checkout.
    """
    packaged = resources.files("digest") / "_assets" / name
    if packaged.is_file() or packaged.is_dir():
        return _assets_open.enter_context(resources.as_file(packaged))
    return Path(__file__).parents[3] / name
