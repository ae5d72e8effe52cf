"""The options of ``parity cache``."""

from __future__ import annotations

from typing import Annotated

import typer

from parity.cli.options import AsJson

cache_app = typer.Typer(
    help="Recordings in the user's cache: what they take, and how to remove them.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@cache_app.command(epilog="Example: parity cache status --json")
def status(as_json: AsJson = False) -> None:
    """What recordings take, by example, and the limit, which $PARITY_CACHE_LIMIT sets."""
    from parity.cli import cache_command

    cache_command.status_command(as_json=as_json)


@cache_app.command(epilog="Example: parity cache prune --limit 1GB")
def prune(
    limit: Annotated[
        str, typer.Option(help="Such as 1GB. Default: $PARITY_CACHE_LIMIT, or 4GB.")
    ] = "",
) -> None:
    """Remove what runs have not used for longest, until the rest is below a limit."""
    from parity.cli import cache_command

    cache_command.prune_command(limit)


@cache_app.command(epilog="Example: parity cache clear --yes")
def clear(yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False) -> None:
    """Remove all recordings. Results of sweeps and data sets stay."""
    from parity.cli import cache_command

    cache_command.clear_command(yes=yes)
