"""``lexigrad completion bash|zsh|fish``: the script that lets a shell complete verbs, families, knobs and names."""

from __future__ import annotations

import argparse

EXAMPLES = """examples:
  source <(lexigrad completion bash)        now; in ~/.bashrc for good
  source <(lexigrad completion zsh)         in ~/.zshrc, after compinit
  lexigrad completion fish > ~/.config/fish/completions/lexigrad.fish"""

BASH = r"""_lexigrad() {
  local IFS=$'\n'
  COMPREPLY=($("${1/#\~/$HOME}" complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
  if [[ ${COMPREPLY[0]-} == *= ]]; then compopt -o nospace 2>/dev/null; fi
}
complete -o default -F _lexigrad lexigrad
"""

ZSH = r"""_lexigrad() {
  local -a found
  found=("${(@f)$(${~words[1]} complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")
  compadd -S '' -- ${(M)found:#*=}
  compadd -- ${found:#*=}
}
compdef _lexigrad lexigrad
"""

FISH = r"""function __lexigrad_words
    lexigrad complete -- (commandline -opc | tail -n +2) (commandline -ct) 2>/dev/null
end
complete -c lexigrad -f -a '(__lexigrad_words)'
"""

SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the verb takes."""
    parser.epilog = EXAMPLES
    parser.add_argument("shell", choices=sorted(SCRIPTS), help="which shell it is for")


def act(options: argparse.Namespace) -> int:
    """Print the script; it asks `lexigrad complete` for the words."""
    print(SCRIPTS[options.shell], end="")
    return 0
