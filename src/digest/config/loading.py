"""config.toml: read, and refused with the key's name when it is wrong.

Later wins: config.toml < secret files < environment (`DIGEST_SMTP__PORT=2525`). A file without `[sources]` uses the
packaged ones, so an operator's file need only hold what differs.
"""

import difflib
import os
import tomllib
from collections.abc import Iterable
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, get_args, get_origin

from pydantic import ValidationError

from digest.config.assets import asset
from digest.config.settings import Settings
from digest.errors import ConfigError


def load_settings(path: Path | None = None) -> Settings:
    """Read `path`, else `./config.toml`, else the packaged default.

    Raises ConfigError naming file, section and key, with the nearest known key for an unknown one.
    """
    if path is None and Path("config.toml").is_file():
        path = Path("config.toml")
    default = asset("config.toml")
    shown = str(path) if path else "the packaged config.toml"
    values = _read_toml(path or default, shown)
    values.setdefault("sources", _read_toml(default, "the packaged config.toml")["sources"])
    _refuse_unknown_environment()
    try:
        # The folder is the one that containers and systemd mount secrets at; both name it in the environment.
        return Settings(_secrets_dir=os.environ.get("DIGEST_SECRETS_DIR", "/run/secrets/digest"), **values)
    except ValidationError as error:
        raise ConfigError(_sentence(error, shown)) from error
    except ValueError as error:  # a list or table given as text in the environment
        raise ConfigError(f"a DIGEST_ variable cannot be read: {error}; write lists and tables as JSON.") from error


def _read_toml(path: Path, shown: str) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{shown} cannot be read: {error.strerror}; name another with --config.") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{shown} is not UTF-8 at byte {error.start}; save it as UTF-8.") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{shown} is not valid TOML: {error}.") from error


def _refuse_unknown_environment() -> None:
    known = {name.upper() for name in Settings.model_fields} | {"SECRETS_DIR"}
    for name in os.environ:
        section = name.upper().removeprefix("DIGEST_").split("__")[0]
        if name.upper().startswith("DIGEST_") and section not in known:
            hint = _nearest(section, known)
            raise ConfigError(f"the environment variable {name} names no section of config.toml{hint}")


def _sentence(error: ValidationError, shown: str) -> str:
    """The first fault of a validation, as one sentence for the person who wrote the file."""
    fault = error.errors()[0]
    parts = [str(part) for part in fault["loc"]]
    where = f"[{'.'.join(parts[:-1])}] " if len(parts) > 1 else ""
    if fault["type"] == "extra_forbidden":
        hint = _nearest(parts[-1], _keys_at(fault["loc"][:-1]))
        return f'{shown}: {where}has no key "{parts[-1]}"{hint}'
    if fault["type"] == "missing":
        return f'{shown}: {where}wants a key "{parts[-1]}", which is not there.'
    if fault["type"] == "value_error":
        return f"{shown}: [{'.'.join(parts)}] {fault['ctx']['error']}."
    # A whole section may hold a secret, too.
    secret = len(parts) == 1 or not {"password", "keys", "url", "secret", "token", "fallback"}.isdisjoint(parts)
    given = "" if secret else f", not {fault['input']!r:.80}"
    return f'{shown}: {where}key "{parts[-1]}": {fault["msg"][0].lower()}{fault["msg"][1:]}{given}.'


def _nearest(word: str, known: Iterable[str]) -> str:
    options = sorted(known)
    match = difflib.get_close_matches(word, options, n=1, cutoff=0.5)
    return f'; did you mean "{match[0]}"?' if match else f"; known are {', '.join(options)}." if options else "."


def _keys_at(location: tuple[int | str, ...]) -> set[str]:
    """The keys that are known at a place of the settings, read off the types."""
    here: Any = Settings
    for part in location:
        if get_origin(here) in (list, dict):
            here = get_args(here)[-1]
        else:
            here = {info.alias or name: info.annotation for name, info in here.model_fields.items()}[str(part)]
        if get_origin(here) is UnionType:
            here = next(choice for choice in get_args(here) if choice is not NoneType)
    return {info.alias or name for name, info in here.model_fields.items()}
