"""For writers of rules: figures and errors of one language and of a folder of rules still being written.

`python -m tests.rules_report [--lang fi] [--errors] FILE...`, with RULES=folder for rules that lie elsewhere. It asks
the rules alone; `mailbot rules test` asks both readers.
"""

import os
import sys
from pathlib import Path

from mailbot.flows.rules_report import evaluate, lines
from mailbot.flows.understand import Understanding
from mailbot.gateway.reading_rules import load_reading_patterns
from mailbot.gateway.resources import shipped
from mailbot.gateway.rulebook import load_rulebook


def main(arguments: list[str]) -> None:
    """Prints the report."""
    paths = [Path(argument) for argument in arguments if argument.endswith(".jsonl")]
    language = arguments[arguments.index("--lang") + 1] if "--lang" in arguments else None
    rulebook = load_rulebook(Path(os.environ.get("RULES", shipped("rules"))))
    understanding = Understanding(rulebook=rulebook, patterns=load_reading_patterns(shipped("rules")))
    print(*lines(evaluate(paths, understanding, language=language), errors="--errors" in arguments), sep="\n")


if __name__ == "__main__":
    main(sys.argv[1:])
