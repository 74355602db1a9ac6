"""The edge: what a command raises becomes one message and an exit code."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from typing import Any, NoReturn

import typer

from tellapart.core.errors import TellapartError

_PASSED_ON = (typer.Exit, typer.Abort, typer.BadParameter)  # Typer turns them into exit codes
_OUTPUT = "The output cannot be written"
INTERRUPTED = "Interrupted. What was read so far is kept; the same command goes on from there."


class Interrupted(KeyboardInterrupt):
    """An interrupt with what is to be said of it.

    Args:
        said: One sentence or more.
    """

    def __init__(self, said: str) -> None:
        super().__init__(said)
        self.said = said


def _interrupted(interrupt: KeyboardInterrupt) -> str:
    """What is said: with the command that goes on, where the interrupt knows one."""
    from tellapart.cli.terminal import clean

    if isinstance(interrupt, Interrupted):
        return interrupt.said
    command = getattr(interrupt, "command", None)
    if command is None:
        return INTERRUPTED
    return f"Interrupted. What was done is kept; go on with:\n  {clean(command)}"


def guarded(function: Callable[..., Any]) -> Callable[..., Any]:
    """A command that never shows a traceback: every exception becomes a message and a code."""

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> None:
        from tellapart.cli.terminal import print_error

        as_json = bool(kwargs.get("as_json"))
        try:
            function(*args, **kwargs)
            sys.stdout.flush()
        except TellapartError as error:
            print_error(error, as_json=as_json)
            raise typer.Exit(1) from None
        except KeyboardInterrupt as interrupt:
            sys.stderr.write(f"\n{_interrupted(interrupt)}\n")
            raise typer.Exit(130) from None
        except BrokenPipeError:  # somebody closed the pipe, as `| head` does
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(0) from None
        except OSError as error:
            if error.errno is None:  # raised by a library, not by the system
                _fail_with_log(error, kwargs)
            named = f"'{error.filename}' cannot be used" if error.filename else _OUTPUT
            problem = TellapartError(
                f"{named}: {error.strerror}.",
                remedy="Check the path, your rights there, and the room on the disk.",
                code="file",
            )
            try:
                print_error(problem, as_json=as_json)
                sys.stdout.flush()
            except OSError:  # it is standard output itself
                print_error(problem, as_json=False)
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(1) from None
        except MemoryError:
            problem = TellapartError(
                "There is not enough memory.", remedy="Close other programs, or use fewer pictures."
            )
            print_error(problem, as_json=as_json)
            raise typer.Exit(1) from None
        except _PASSED_ON:
            raise
        except Exception as fault:
            _fail_with_log(fault, kwargs)

    return run


def _fail_with_log(fault: Exception, settings: dict[str, Any]) -> NoReturn:
    from tellapart.cli.fault import EXIT_CODE, explained
    from tellapart.cli.terminal import print_error

    print_error(explained(fault, settings), as_json=bool(settings.get("as_json")))
    raise typer.Exit(EXIT_CODE) from None
