"""HTML becomes the text a person reads."""

import pytest

from nightlight.ingest.html_text import text_of_html


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("", ""),
        ("plain", "plain"),
        ("<p>one</p><p>two</p>", "one\ntwo"),
        ("one<br>two<br />three", "one\ntwo\nthree"),
        ('see <a href="https://a.example.test/?x=1>2">the page</a>!', "see the page!"),
        ("zor<span class='x'>ble</span>flux", "zorbleflux"),
        ("<ul><li>a</li><li>b</li></ul>", "a\nb"),
        ("tea &amp; zorble &lt;3 &#x2618; &eacute;", "tea & zorble <3 \u2618 \u00e9"),
        ("one\n  two", "one two"),
        ("<!-- note -->a", "a"),
        ("a < b > c", "a < b > c"),
        ("1 <2", "1 <2"),
        ("<P>Upper</P>", "Upper"),
    ],
)
def test_markup_becomes_text(source: str, text: str) -> None:
    assert text_of_html(source) == text


@pytest.mark.parametrize("source", ["<b zorble", "<b x='zorble", "<!-- zorble", "&#xzorble"])
def test_broken_markup_hides_nothing(source: str) -> None:
    assert "zorble" in text_of_html(source)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("&#" + "0" * 5000 + "65;", "A"),
        ("&#" + "9" * 5000 + ";", "\N{REPLACEMENT CHARACTER}"),
        ("&#xd800;", "\N{REPLACEMENT CHARACTER}"),
        ("&#0;", "\N{REPLACEMENT CHARACTER}"),
    ],
)
def test_number_of_any_length_becomes_a_character(source: str, text: str) -> None:
    assert text_of_html(source) == text
