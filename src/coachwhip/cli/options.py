"""Options in named groups, so that a long `--help` can be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["GroupedCommand", "grouped_option"]

_PLAIN = "Other options"


class _GroupedOption(click.Option):
    """An option that knows under which heading `--help` shows it."""

    def __init__(self, *args: Any, group: str = _PLAIN, **kwargs: Any) -> None:  # noqa: ANN401
        super().__init__(*args, **kwargs)
        self.group = group


class GroupedCommand(click.Command):
    """A command whose `--help` shows its options under headings, in the order of their definition."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, those without a heading last."""
        groups: dict[str, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record is not None and isinstance(param, click.Option):
                groups.setdefault(getattr(param, "group", _PLAIN), []).append(record)
        for name in sorted(groups, key=lambda name: name == _PLAIN):
            with formatter.section(name):
                formatter.write_dl(groups[name])


def grouped_option(group: str) -> Callable[..., Callable[[Any], Any]]:
    """Return a `click.option` whose options stand under the heading `group`."""

    def option(*names: str, **attributes: Any) -> Callable[[Any], Any]:  # noqa: ANN401
        return click.option(*names, cls=_GroupedOption, group=group, **attributes)

    return option
