"""`zhidao completion`: what a shell needs to complete commands, actions and options by Tab."""

from __future__ import annotations

import argparse
import sys
from typing import Final

from zhidao.cli.console.manual import Page, pages

SHELLS: Final = ("bash", "zsh", "fish")
_BASH: Final = """\
# Completion of zhidao for {shell}. Made by: zhidao completion {shell}
{head}_zhidao() {{
    local at="zhidao" word i current="${{COMP_WORDS[COMP_CWORD]}}" words=""
    for ((i = 1; i < COMP_CWORD; i++)); do
        word="${{COMP_WORDS[i]}}"
        [[ "$word" != -* && -n "$(_zhidao_words "$at $word")" ]] && at="$at $word"
    done
    words="$(_zhidao_words "$at")"
    COMPREPLY=($(compgen -W "$words" -- "$current"))
    # What is no word of the command may be a file.
    [[ ${{#COMPREPLY[@]}} -eq 0 && "$current" != -* ]] && COMPREPLY=($(compgen -f -- "$current"))
    return 0
}}
_zhidao_words() {{
    case "$1" in
{cases}
    esac
}}
complete -F _zhidao zhidao
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of this command."""
    parser.add_argument("shell", choices=SHELLS, help="which shell")
    parser.set_defaults(run=_run)
    parser.epilog = (
        "examples:\n"
        '  eval "$(zhidao completion bash)"            # in ~/.bashrc\n'
        '  eval "$(zhidao completion zsh)"             # in ~/.zshrc, after compinit\n'
        "  zhidao completion fish > ~/.config/fish/completions/zhidao.fish\n"
        "status: 0 done, 2 no such shell"
    )


def _run(options: argparse.Namespace) -> int:
    sys.stdout.write(script(options.shell))
    return 0


def script(shell: str) -> str:
    """The completion script for a shell."""
    known = list(pages())
    if shell == "fish":
        return _fish(known)
    head = "autoload -U +X bashcompinit && bashcompinit\n" if shell == "zsh" else ""
    cases = "\n".join(
        f"        '{page.prog}') echo '{' '.join((*page.actions, *page.options))}' ;;"
        for page in known
    )
    return _BASH.format(shell=shell, head=head, cases=cases)


def _fish(known: list[Page]) -> str:
    lines = ["# Completion of zhidao for fish. Made by: zhidao completion fish"]
    for page in known:
        words = page.prog.split()[1:]
        here = [f"__fish_seen_subcommand_from {word}" for word in words]
        if page.actions:
            here.append(f"not __fish_seen_subcommand_from {' '.join(page.actions)}")
        where = "; and ".join(here)
        for action, line in page.actions.items():
            told = line.replace("'", "\\'")
            lines.append(f"complete -c zhidao -f -n '{where}' -a {action} -d '{told}'")
        lines += [f"complete -c zhidao -n '{where}' -l {each[2:]}" for each in page.options]
    return "\n".join(lines) + "\n"
