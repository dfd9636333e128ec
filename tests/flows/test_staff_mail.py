"""Staff work by answering mail: what one reply does, in the styles that mail programs write."""

import pytest
from bureau import STYLES, Bureau, reply_to

from mailbot.core.ticket import Status


@pytest.mark.parametrize("style", sorted(set(STYLES) - {"unmarked"}))
@pytest.mark.parametrize("threaded", [True, False])
def test_one_word_approves(bureau: Bureau, style: str, threaded: bool) -> None:
    """An approval counts by the quoted code alone, or by the answered Message-ID alone."""
    notice = bureau.opened()
    if style == "unquoted" and not threaded:
        pytest.skip("such a mail proves nothing; see test_attacks")
    bureau.round(reply_to(notice, "approve", style=style, in_reply_to=None if threaded else ""))
    assert len(bureau.to("maija@customer.example")) == 1
    assert bureau.ticket().status is Status.ANSWERED
