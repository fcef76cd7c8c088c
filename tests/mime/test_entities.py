"""References are read as HTML::Parser reads them."""

import pytest

from lazaret.mime import entities


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("&amp;&lt&gt;&quot;&apos;", "&<>\"'"),
        ("&eacute;&eacute", "éé"),
        ("&euro;&euro", "€&euro"),
        ("&copyright &notit;", "©right ¬it;"),
        ("&AMP; &foo; & &;", "&AMP; &foo; & &;"),
        ("&#65;&#x41;&#X42;&#8217;&#65", "AAB’A"),
        (
            "&#0; &#1114112; &#65534; &#99999999999999999999;",
            "&#0; &#1114112; &#65534; &#99999999999999999999;",
        ),
        ("&#55357;&#56832; &#xD83D;", "😀 \ufffd"),
        ("&#150;", "\x96"),
    ],
)
def test_references_in_text(written: str, shown: str) -> None:
    assert shown == entities.decode(written)


def test_in_an_attribute_a_name_must_stand_alone() -> None:
    assert "?a=1&copyright=2&lt;<" == entities.decode_value("?a=1&copyright=2&amp;lt;&lt")
