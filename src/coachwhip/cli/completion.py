"""`coachwhip completion`: print the script that teaches a shell to complete this command."""

from __future__ import annotations

import click
from click.shell_completion import BashComplete, FishComplete, ShellComplete, ZshComplete

from coachwhip.cli.ui import Ui, pass_ui

__all__ = ["completion"]

_SHELLS: dict[str, type[ShellComplete]] = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}


@click.command(
    epilog="""\b
Examples:
  coachwhip completion bash > ~/.local/share/bash-completion/completions/coachwhip
  coachwhip completion zsh > ~/.zfunc/_coachwhip
  coachwhip completion fish > ~/.config/fish/completions/coachwhip.fish
""",
)
@click.argument("shell", type=click.Choice(list(_SHELLS)))
@pass_ui
@click.pass_context
def completion(ctx: click.Context, ui: Ui, shell: str) -> None:
    """Print a script that completes coachwhip's commands and options in SHELL.

    It takes effect in the next shell that is started.
    """
    script = _SHELLS[shell](ctx.find_root().command, {}, "coachwhip", "_COACHWHIP_COMPLETE")
    ui.result(script.source().strip("\n"))
