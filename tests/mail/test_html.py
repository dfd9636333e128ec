"""HTML is read as a person would see it."""

import pytest

from mailbot.mail.html import MAX_TAGS, to_text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p><b>poist</b>atte</p>", "poistatte"),
        ("s&auml;hk&ouml;posti &#228;&nbsp;x", "sähköposti ä\xa0x"),
        ("<div>yksi</div><div>kaksi</div>", "yksi\nkaksi"),
        ("yksi<br>kaksi<br><br>kolme", "yksi\nkaksi\n\nkolme"),
        ("<p>yksi</p><p>kaksi</p>", "yksi\n\nkaksi"),
        ("<p class=MsoNormal>yksi</p><p class=MsoNormal>kaksi</p>", "yksi\nkaksi"),
        ("<div style='DISPLAY: none'>salaa</div>näkyy", "näkyy"),
        ("<span hidden>salaa</span><style>p{}</style><script>x()</script><!-- c -->näkyy", "näkyy"),
        ("<table><tr><td>nimi</td><td>Aino</td></tr><tr><td>puh</td></tr></table>", "nimi Aino\npuh"),
        (
            "oma<blockquote type=cite>vanha<blockquote type=cite>vanhempi</blockquote></blockquote>",
            "oma\n\n> vanha\n>\n>> vanhempi\n>",
        ),
        ("<blockquote style='margin:0 0 0 40px;border:none'>oma sisennys</blockquote>", "oma sisennys"),
        ("<pre>a  b\n c</pre>", "a  b\n c"),
        ("", ""),
        ("<", "<"),
    ],
)
def test_a_page_reads_as_it_looks(html: str, text: str) -> None:
    """Words stay whole, blocks make lines, what is hidden is not read, quotations are marked."""
    assert to_text(html).text == text


def test_an_outline_reads_alike() -> None:
    """Beyond the tags that are built into a tree, words and lines still come out."""
    html = "<div><b>poist</b>atte &auml;</div><!-- <p>c</p> --><style>p{}</style>" * (MAX_TAGS // 4)
    assert set(to_text(html).text.split("\n")) == {"poistatte ä"}


def test_pictures_are_told() -> None:
    """A page of pictures alone may still say something."""
    page = to_text('<html><body><img src="cid:a"></body></html>')
    assert (page.text, page.images) == ("", True)
