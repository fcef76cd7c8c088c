"""One pass over an HTML part tells what it shows, hides and links to."""

import pytest

from lazaret.mime import html


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("a<br>b<br/>c", "a\nb\nc"),
        ("<p>a</p><p>b</p>", "\n\na\n\n\n\nb\n\n"),
        ("<td>a <td>b", " a b"),
        ("a  \n b&nbsp;c", "a b c"),
        ("a<script>b</script><style>c</style>d", "ad"),
        ("<title>T</title>x", "\n\nT\n\nx"),
        ("v<b>i</b>agra", "viagra"),
    ],
)
def test_the_text_has_spamassassins_white_space(source: str, text: str) -> None:
    assert text == html.render(source).texts.rendered


@pytest.mark.parametrize(
    "hiding",
    [
        '<font color="#fffffe">x</font>',
        '<span style="display:none">x</span>',
        '<p style="visibility: hidden">x</p>',
        "<font size=1>x</font>",
        '<div style="color:white">x</div>',
        '<span style="color: #000; background-color: black">x</span>',
        '<span style="background: url(a.png) no-repeat, #010101">x</span>',
    ],
)
def test_hidden_text_is_told_from_shown_text(hiding: str) -> None:
    texts = html.render(f"shown {hiding}").texts
    assert "shown x" == " ".join(texts.rendered.split())
    assert "shown" == texts.visible.strip()
    assert "x" == texts.invisible.strip()
    assert "shown" == texts.seen.strip()


def test_a_reader_sees_white_text_on_a_dark_table() -> None:
    texts = html.render("<table bgcolor=navy><tr><td><font color=white>x</font></table>").texts
    assert "x" not in texts.visible
    assert "x" in texts.seen


def test_a_closed_style_no_longer_hides() -> None:
    texts = html.render('<div style="display:none">a<p>b</div>c<td><font color=white>d<td>e').texts
    assert "ab" == "".join(texts.invisible.split()).replace("d", "")
    assert "ce" == "".join(texts.visible.split())


def test_links_have_target_and_text() -> None:
    page = html.render(
        '<base href="http://b.example/">'
        '<a HREF=" http://x.example/?a=1&amp;b ">see <b>this</b><img src=i.png></a>'
        '<form action="mailto:a@b.example"><area href=map><td background=bg.png><iframe src=f></iframe>'
        "<meta http-equiv=refresh content='0; URL=http://m.example/'><a x/href=odd>"
    )
    assert [
        ("base", "href", b"http://b.example/", ""),
        ("a", "href", b"http://x.example/?a=1&b", "see this<img>\n"),
        ("img", "src", b"i.png", ""),
        ("form", "action", b"mailto:a@b.example", ""),
        ("area", "href", b"map", ""),
        ("td", "background", b"bg.png", ""),
        ("iframe", "src", b"f", ""),
        ("meta", "content", b"http://m.example/", ""),
        ("a", "href", b"odd", ""),
    ] == [tuple(link) for link in page.links]
    assert page.facts.form_action_mailto


def test_statistics_have_spamassassins_names() -> None:
    facts = html.render(
        "<!doctype html><html><title>One</title><body><!-- c --><img width=10 height=50%><foo>"
        "<font face='!' size=7>v</font><b>i</b>agra<a href=x>t</a></b><meta http-equiv=Content-Type "
        "content='text/html; charset=koi8-r'><script>s</script><embed>"
    ).facts
    assert facts.html
    assert ["One"] == facts.title
    assert ["<!-- c -->"] == facts.comment
    assert ["s"] == facts.script
    assert ["t"] == facts.anchor
    assert 10 * 300 == facts.image_area
    assert (3, 7) == (facts.min_size, facts.max_size)
    assert facts.font_face_bad
    assert facts.embeds
    assert "koi8-r" == facts.charsets
    assert 1 == facts.inside["html"]
    assert 0 == facts.inside["title"]
    assert 1 / 18 == facts.closed_extra_ratio
    assert 2 / 18 == facts.bad_tag_ratio
    assert 3 / 18 == facts.obfuscation_ratio
    assert 3 == facts.backhair_count
