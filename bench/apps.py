"""The programs that are measured."""

from __future__ import annotations

from pathlib import Path

from bench.model import App

__all__ = ["APPS"]

_EXAMPLES = Path(__file__).resolve().parent.parent / "examples"

APPS: dict[str, App] = {
    app.name: app
    for app in (
        App("hello", str(_EXAMPLES / "hello"), "hello", "hello:main", ("--json",), "Hello, world!", "hello"),
        App("myapp", str(_EXAMPLES / "myapp"), "myapp", "myapp.cli:main", ("--help",), "Commands:", "myapp"),
        # Pure Python, as what it needs: nothing of it has to be unpacked.
        App(
            "pygments",
            "pygments==2.19.2",
            "pygmentize",
            "pygments.cmdline:main",
            ("-L", "styles"),
            "monokai",
            "pygments",
        ),
        App("httpie", "httpie==3.2.4", "http", "httpie.__main__:main", ("--version",), "3.2.4", "httpie"),
        App("sci", str(_EXAMPLES / "sci"), "sci", "sci:main", (), "harbour", "sci"),
    )
}
