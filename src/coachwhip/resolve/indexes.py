"""Where packages come from: uv's own configuration, or else what the user told pip.

uv reads `UV_*` and `uv.toml` by itself. Many machines only have pip configured (a company's mirror, a
folder of wheels); where nothing says otherwise to uv, pip's settings are handed to it as options. pip
treats all its indexes alike, so uv is told to do the same for them.
"""

from __future__ import annotations

import configparser
import shlex
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from coachwhip.resolve.model import Options

__all__ = ["PipIndexes", "index_arguments", "parse_pip", "pip_files", "uv_has_indexes"]

_UV_VARIABLES = ("UV_DEFAULT_INDEX", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS", "UV_INDEX", "UV_INDEX_URL")
_UV_KEYS = frozenset({"extra-index-url", "find-links", "index", "index-url", "no-index"})
_TRUE = frozenset({"1", "on", "t", "true", "y", "yes"})


@dataclass(frozen=True)
class PipIndexes:
    """pip's settings about where packages come from."""

    index_url: str = ""
    extra: tuple[str, ...] = ()
    find_links: tuple[str, ...] = ()
    no_index: bool = False
    trusted: tuple[str, ...] = ()


def pip_files(environ: Mapping[str, str]) -> tuple[Path, ...]:
    """Return pip's configuration files on a Unix, in increasing order of precedence."""
    named = environ.get("PIP_CONFIG_FILE", "")
    if named == "/dev/null":
        return ()
    files = [
        Path(folder) / "pip/pip.conf" for folder in environ.get("XDG_CONFIG_DIRS", "/etc/xdg").split(":")
    ]
    files.append(Path("/etc/pip.conf"))
    if home := environ.get("HOME"):
        files.append(Path(home, ".pip/pip.conf"))
        files.append(Path(environ.get("XDG_CONFIG_HOME") or f"{home}/.config", "pip/pip.conf"))
    if named:
        files.append(Path(named))
    return tuple(files)


def parse_pip(texts: Sequence[str], environ: Mapping[str, str]) -> PipIndexes:
    """Return pip's index settings.

    Args:
        texts: of configuration files, later ones win; text that can't be understood is ignored, as it is
            pip's to complain about.
        environ: `PIP_*` variables win over files.
    """
    values: dict[str, str] = {}
    for text in texts:
        parser = configparser.RawConfigParser()
        try:
            parser.read_string(text)
        except configparser.Error:
            continue
        for section in ("global", "install"):
            if parser.has_section(section):
                values |= {key.replace("_", "-"): value for key, value in parser.items(section)}
    values |= {
        name.removeprefix("PIP_").lower().replace("_", "-"): value
        for name, value in environ.items()
        if name.startswith("PIP_") and value
    }
    return PipIndexes(
        index_url=values.get("index-url", "").strip(),
        extra=_words(values.get("extra-index-url", "")),
        find_links=_words(values.get("find-links", "")),
        no_index=values.get("no-index", "").strip().lower() in _TRUE,
        trusted=_words(values.get("trusted-host", "")),
    )


def uv_has_indexes(environ: Mapping[str, str], documents: Sequence[str]) -> bool:
    """Return whether uv itself has been told where packages come from.

    Args:
        environ: the environment.
        documents: texts of the `uv.toml` and `pyproject.toml` files that uv reads.
    """
    return any(environ.get(name) for name in _UV_VARIABLES) or any(map(_names_indexes, documents))


def index_arguments(options: Options, pip: PipIndexes) -> list[str]:
    """Return uv's index options for what was asked for, filled up with pip's settings."""
    default = options.default_index or pip.index_url
    extra = [*options.index, *pip.extra]
    args = ["--default-index", default] if default else []
    for url in extra:
        args += ["--index", url]
    for place in (*options.find_links, *pip.find_links):
        args += ["--find-links", place]
    if options.no_index or pip.no_index:
        args.append("--no-index")
    if pip.extra:
        args += ["--index-strategy", "unsafe-best-match"]
    for host in pip.trusted:
        args += ["--allow-insecure-host", host]
    return args


def _words(value: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(value, comments=False))
    except ValueError:
        return tuple(value.split())


def _names_indexes(text: str) -> bool:
    try:
        document: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False
    tool = document.get("tool")
    uv = tool.get("uv", {}) if isinstance(tool, dict) else document
    if not isinstance(uv, dict):
        return False
    pip = uv.get("pip", {})
    return bool(_UV_KEYS & set(uv)) or (isinstance(pip, dict) and bool(_UV_KEYS & set(pip)))
