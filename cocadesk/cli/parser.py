"""The parser of the command line, typer's, with its own words in the person's language.

typer's sentences are English: those of its errors are told again as ``retold`` knows them, its
headings and the help of ``--help`` are set.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import typer
from typer.core import TyperCommand, TyperGroup

from cocadesk.errors import kept, retold, tr

if TYPE_CHECKING:
    _Base = TyperCommand
else:
    _Base = object
_Work = TypeVar("_Work", bound=Callable[..., Any])

_ERRORS = (
    kept("Missing argument {name}."),
    kept("Missing option {name}."),
    kept("Missing command."),
    kept("No such option: {option}"),
    kept("No such option: {option} (Possible options: {others})"),
    kept("No such command {name}."),
    kept("No such command {name}. Did you mean {others}?"),
    kept("Option {option} requires an argument."),
    kept("Option {option} does not take a value."),
    kept("Got unexpected extra argument(s) ({given})"),
    kept("Invalid value for {name}: {reason}"),
    kept("Value error, {reason}"),
    kept("{given} is not one of {others}."),
    kept("Value {given} is not a valid {kind}."),
    kept("Input should be a valid integer, unable to parse string as an integer"),
    kept("Input should be a valid number, unable to parse string as a number"),
    kept("Input should be greater than or equal to {least}"),
    kept("Input should be less than or equal to {most}"),
)
"""typer's errors, and those of what reads values for it."""


class _InLanguage(_Base):
    """What commands and groups of them say, in the person's language."""

    def format_usage(self, ctx: Any, formatter: Any) -> None:
        """The line of all that the command takes."""
        pieces = " ".join(self.collect_usage_pieces(ctx))
        formatter.write_usage(ctx.command_path, pieces, prefix=tr("Usage:") + " ")

    def get_help_option(self, ctx: Any) -> Any:
        """``--help`` itself."""
        option = super().get_help_option(ctx)
        if option is not None:
            option.help = tr("Show this message and exit.")
        return option

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """The whole help."""
        _set_headings()
        for parameter in self.get_params(ctx):
            _name_kind(parameter)
        super().format_help(ctx, formatter)


class Command(_InLanguage, TyperCommand):
    """One command."""


class Group(_InLanguage, TyperGroup):
    """A command of commands."""

    def make_context(self, *arguments: Any, **settings: Any) -> Any:
        """The arguments as read."""
        with _retold_errors():
            return super().make_context(*arguments, **settings)

    def invoke(self, ctx: Any) -> Any:
        """Runs the command that was named."""
        with _retold_errors():
            return super().invoke(ctx)


class App(typer.Typer):
    """Commands under one name, in the person's language."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(
            cls=Group,
            options_metavar=tr("[OPTIONS]"),
            subcommand_metavar=tr("COMMAND [ARGS]..."),
            **settings,
        )

    def command(self, name: str | None = None, **settings: Any) -> Callable[[_Work], _Work]:
        """Takes a function as a command."""
        return super().command(name, cls=Command, options_metavar=tr("[OPTIONS]"), **settings)


def confirmed(question: str) -> bool:
    """The answer to a question on the terminal; no, where there is none.

    Raises:
        typer.Abort: the terminal was closed.
    """
    answer = typer.prompt(f"{question} [{tr('y/N')}]", default="", show_default=False)
    return answer.strip().casefold() in ("y", "yes", tr("y"), tr("yes"))


def _name_kind(parameter: Any) -> None:
    """Lets the help say what an option takes in the person's language, and nothing of a switch.

    Arguments and many options have a name that says it (``DIR``); older versions of typer show
    no more than that.
    """
    named = getattr(parameter, "display_type_rich", None)
    if named is None:
        return
    is_option = parameter.param_type_name == "option"
    text, path = (tr("<text>"), tr("<path>")) if is_option else (None, None)
    kinds = {
        "bool": None,
        "int": tr("<whole number>"),
        "float": tr("<number>"),
        "str": text,
        "list[str]": text,
        "path": path,
        "list[Path]": path,
    }

    def said(ctx: Any) -> str | None:
        """The kind in words; ``<int range>`` is one of ``int``."""
        kind: str | None = named(ctx)
        return kinds.get((kind or "").strip("<>").partition(" ")[0], kind)

    parameter.display_type_rich = said


@contextmanager
def _retold_errors() -> Iterator[None]:
    """Lets the errors of arguments speak the person's language."""
    try:
        yield
    except Exception as error:
        message = getattr(error, "format_message", None)
        if message is not None:
            _set_headings()
            said = retold(message())
            error.format_message = lambda: said  # type: ignore[attr-defined]
        raise


def _set_headings() -> None:
    """Gives typer its headings; it makes them of English ones when it is imported."""
    from typer import rich_utils

    rich_utils.ARGUMENTS_PANEL_TITLE = tr("Arguments")
    rich_utils.OPTIONS_PANEL_TITLE = tr("Options")
    rich_utils.COMMANDS_PANEL_TITLE = tr("Commands")
    rich_utils.ERRORS_PANEL_TITLE = tr("Error")
    rich_utils.ABORTED_TEXT = tr("Aborted.")
    rich_utils.REQUIRED_LONG_STRING = tr("[required]")
    rich_utils.DEFAULT_STRING = tr("[default: {value}]", value="{}")
    rich_utils.RICH_HELP = tr("Try [blue]'{command_path} {help_option}'[/] for help.")
