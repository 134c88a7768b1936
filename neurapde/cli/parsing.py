"""A parser that asks whether another word was meant, and the completion of its words by a shell."""

import argparse
import difflib
import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

STARTED = time.perf_counter()
"""When the command began, but for the start of Python."""
NEAR = 0.6
"""Likeness, of 1, above which a word may have been meant."""
SHELLS = ("bash", "zsh", "fish")


def meant(word: str, words: Iterable[str]) -> str:
    """(did you mean 'x'?), or nothing where no word is near."""
    close = difflib.get_close_matches(word, list(words), n=1, cutoff=NEAR)
    return f" (did you mean {close[0]!r}?)" if close else ""


class UsageError(Exception):
    """A command that cannot be carried out; the text is the message."""


def folder(text: str) -> Path:
    """The folder that --out names."""
    if not text.strip() or "\0" in text:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not the name of a folder; write one, such as runs/mine"
        )
    return Path(text)


class Parser(argparse.ArgumentParser):
    """A parser whose messages name the word that was probably meant. grammar: adds its arguments when they are needed."""

    grammar: Callable[["Parser"], None] | None = None

    def complete(self) -> "Parser":
        """Itself with all its arguments."""
        grammar, self.grammar = self.grammar, None
        if grammar is not None:
            grammar(self)
        return self

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As argparse does it, with all arguments there."""
        return super(Parser, self.complete()).parse_known_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        """Print the usage and the message, and end with status 2."""
        if choice := re.search(r"invalid choice: '(.*?)' \(choose from (.*)\)", message):
            message += meant(choice[1], re.findall(r"[\w.-]+", choice[2]))
        elif unknown := re.match(r"unrecognized arguments: (--[\w-]+)", message):
            message += meant(
                unknown[1], {flag for _, action in every_action(self) for flag in action.option_strings}
            )
        super().error(message)


def commands_of(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """The parsers of the commands by name."""
    subcommands = (action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    return {
        name: subcommand.complete() for action in subcommands for name, subcommand in action.choices.items()
    }


def every_action(parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.Action]]:
    """Every argument with its command; '' for those of all."""
    for action in parser._actions:
        yield "", action
    for name, subcommand in commands_of(parser).items():
        for action in subcommand._actions:
            yield name, action


def completion(shell: str, parser: argparse.ArgumentParser, names: Sequence[str]) -> str:
    """What a shell is to run so that it completes the commands. names: of problems, after `list`, `run` and `validate`."""
    commands = commands_of(parser)
    words = {
        name: [flag for action in subcommand._actions for flag in action.option_strings]
        for name, subcommand in commands.items()
    }
    for name in ("list", "run", "validate"):
        words[name] += names
    if shell == "fish":
        lines = [
            "complete -c neurapde -f",
            f'complete -c neurapde -n __fish_use_subcommand -a "{" ".join(commands)}"',
        ]
        lines += [
            f'complete -c neurapde -n "__fish_seen_subcommand_from {name}" -F -a "{" ".join(options)}"'
            for name, options in words.items()
        ]
        return "\n".join(lines)
    cases = "\n".join(f'    {name}) words="{" ".join(options)}" ;;' for name, options in words.items())
    start = "autoload -U +X bashcompinit && bashcompinit\n" if shell == "zsh" else ""
    return f"""{start}_neurapde() {{
  local words="{" ".join(commands)} --help --version"
  [ "$COMP_CWORD" -gt 1 ] && case "${{COMP_WORDS[1]}}" in
{cases}
  esac
  COMPREPLY=($(compgen -W "$words" -- "${{COMP_WORDS[COMP_CWORD]}}"))
}}
complete -o default -F _neurapde neurapde"""


def add_computing(parser: Parser) -> None:
    """Where it is computed, and from which seed."""
    parser.add_argument(
        "--device", default="auto", metavar="DEVICE", help="auto (default), cpu, cuda, cuda:1, …"
    )
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="seed of all random numbers; default: 0"
    )


def add_json(parser: Parser) -> None:
    """That the result is for programs."""
    parser.add_argument(
        "--json", action="store_true", help="print the result as JSON, and everything else to standard error"
    )
