"""Files of our own in a text: only those that the caller names, at exactly their addresses."""

from foundation.markdown import OwnMedia, render_markdown

OWN = {
    "a b.png": OwnMedia("image", "/files/1", 5, 6),
    "t.wav": OwnMedia("audio", "/files/2"),
    "c.mp4": OwnMedia("video", "/files/3", 5, 6, "/files/3?captions"),
}


def test_a_text_shows_what_its_caller_names_and_nothing_else():
    text = '![A "cat"](<media:a b.png>) ![far](https://example.org/x.png) ![none](media:none.png) <img src="/files/1">'
    html = render_markdown(text, OWN)
    assert html.count("<img") == 1
    assert '<img src="/files/1" alt="A &quot;cat&quot;" width="5" height="6">' in html
    assert '<a href="https://example.org/x.png"' in html
    assert "image: none" in html


def test_a_sound_has_controls_and_does_not_start_by_itself():
    html = render_markdown("![a bell](media:t.wav)", OWN)
    assert '<audio controls="" preload="metadata" src="/files/2" aria-label="a bell"></audio>' in html


def test_a_film_has_its_captions():
    html = render_markdown("![a walk](media:c.mp4)", OWN)
    assert '<track kind="captions" src="/files/3?captions" label="Captions"></video>' in html


def test_nothing_is_loaded_without_a_caller_and_no_link_leads_to_a_file():
    text = "![x](media:t.wav) [y](media:t.wav) [z](/files/1) ![w](/files/1)"
    assert "<img" not in render_markdown(text)
    assert "<audio" not in render_markdown(text)
    with_files = render_markdown(text, OWN)
    assert "href" not in with_files
    assert with_files.count("src=") == 1
