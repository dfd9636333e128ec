"""The administrator's own alarm: a program that is given the text on its standard input, without a shell.

It is for the day when mail itself is what is broken. Its output is not ours; that it failed is.
"""

import subprocess
from collections.abc import Sequence

from mailbot.errors import ServiceUnavailableError

TIMEOUT_S = 60.0


def shout(command: Sequence[str], subject: str, text: str, *, timeout_s: float = TIMEOUT_S) -> None:
    """Runs the program once and waits for it. Raises ServiceUnavailableError when it can not be run or fails."""
    cure = "Run it by hand, and correct alarm.command."
    try:
        done = subprocess.run(
            list(command), input=f"{subject}\n\n{text}".encode(), capture_output=True, timeout=timeout_s, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise ServiceUnavailableError(f"the alarm command took over {timeout_s:.0f} s", cure) from error
    except (OSError, ValueError) as error:
        raise ServiceUnavailableError(f"the alarm command {command[0]} can not be run ({error})", cure) from error
    if done.returncode != 0:
        raise ServiceUnavailableError(f"the alarm command {command[0]} ended with {done.returncode}", cure)
