"""The papers for the lawyer are filled in from the configuration, in three languages."""

from pathlib import Path

import pytest
from servers.smtp_sink import SmtpSink
from story.desk import Desk


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("fi", ("GDPR 30 artiklan", "759/2004", "perua suostumuksen milloin tahansa")),
        ("sv", ("GDPR artikel 30.1", "759/2004", "när som helst kan återkalla")),
        ("en", ("Article 30(1)", "759/2004", "take this consent back at any time")),
    ],
)
def test_the_papers_name_the_controller_and_its_times(tmp_path: Path, language: str, words: tuple[str, ...]) -> None:
    """Record of processing, notice and consent: with the controller's name and the configured days, no gap left."""
    nowhere = SmtpSink(port=9)
    desk = Desk.make(tmp_path, nowhere, nowhere, more="[retention]\nclosed_days = 777\nattachments_days = 55")  # type: ignore[arg-type]
    text = desk.must("papers", "--language", language).out
    assert all(word in text for word in words)
    assert text.count("777") == 2
    assert text.count("55 ") >= 2
    assert "Jalo IT" in text
    assert "$" not in text
