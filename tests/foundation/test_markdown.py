import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from foundation import highlighting, markdown, mathematics
from foundation.markdown import HTML_ELEMENTS, LINK_RELATION, LONGEST_TEXT, parse_markdown, render_markdown, sanitize
from foundation.text import clean_text
from tests.foundation.html_reading import parse
from tests.foundation.payloads import PAYLOADS, SURROUNDINGS

ALIGNED = {"align-left", "align-center", "align-right"}
CLASSES = {"span": highlighting.CLASSES, "th": ALIGNED, "td": ALIGNED, "mtd": ALIGNED, "pre": {"plain"}}


def offences(html):
    """What no text may put into a page; empty is safe."""
    found = parse(html)
    wrong = {f"<{tag}>" for tag in found.tags - HTML_ELEMENTS - mathematics.ELEMENTS}
    wrong.update(f"<!{text}>" for text in found.other)
    wrong.update(f"{tag} {name}={value!r}" for tag, name, value in found.attributes if not allowed(tag, name, value))
    return wrong


def allowed(tag, name, value):
    if tag == "a":
        return {
            "href": lambda: bool(re.match(r"(?i)(https?://|mailto:)\S", value)),
            "rel": lambda: value == LINK_RELATION,
            "target": lambda: value == "_blank",
        }.get(name, lambda: False)()
    if name == "class":
        return value in CLASSES.get(tag, set())
    if tag in mathematics.ELEMENTS:
        return mathematics.may_keep(name, value)
    return (tag, name) == ("ol", "start") and value.isdigit()


def all_payloads():
    for payload in PAYLOADS:
        for surrounding in SURROUNDINGS:
            yield clean_text(surrounding.replace("{}", payload))


def test_there_are_many_payloads():
    assert len(PAYLOADS) == len(set(PAYLOADS)) >= 170


def test_no_payload_gets_through_both_layers():
    assert {text: offences(render_markdown(text)) for text in all_payloads() if offences(render_markdown(text))} == {}


def test_the_parser_alone_writes_no_markup_of_the_author():
    assert {text: offences(parse_markdown(text)) for text in all_payloads() if offences(parse_markdown(text))} == {}


def test_the_sanitizer_alone_neutralizes_every_payload():
    assert {text: offences(sanitize(text)) for text in all_payloads() if offences(sanitize(text))} == {}


def test_sanitizing_twice_changes_nothing_so_that_no_mutation_hides():
    unstable = {
        text: once
        for text in all_payloads()
        for once in [sanitize(text), render_markdown(text)]
        if sanitize(str(once)) != once
    }
    assert unstable == {}


def test_control_with_html_on_and_no_sanitizer_most_payloads_get_through(monkeypatch):
    monkeypatch.setattr(markdown, "_MARKDOWN", MarkdownIt("commonmark", {"html": True}).enable(["table"]))

    got_through = [payload for payload in PAYLOADS if offences(parse_markdown(clean_text(payload)) or "")]

    print(f"{len(got_through)} of {len(PAYLOADS)} payloads get through with both layers off")
    assert len(got_through) > len(PAYLOADS) * 0.6


def test_control_each_layer_holds_what_the_other_lets_through(monkeypatch):
    html_on = MarkdownIt("commonmark", {"html": True}).enable(["table"])
    monkeypatch.setattr(markdown, "_MARKDOWN", html_on)
    assert [p for p in PAYLOADS if offences(render_markdown(p))] == []
    monkeypatch.undo()

    monkeypatch.setattr(markdown, "sanitize", lambda html: html)
    assert [p for p in PAYLOADS if offences(render_markdown(p))] == []


def test_control_formulas_written_by_the_library_itself_would_be_raw_html(monkeypatch):
    from latex2mathml.converter import convert

    assert "script" in parse(convert(r"\text{<script>canary()</script>}")).tags
    assert "script" not in parse(mathematics.to_mathml(r"\text{<script>canary()</script>}", display=False)).tags


@given(st.text(st.sampled_from("<>\"'=/\\`*_[](){}$|#!-:&;~ \nabcxonscript0"), max_size=120))
def test_no_text_whatever_gets_markup_through_either_layer(text):
    parsed = parse_markdown(text)
    assert parsed is None or offences(parsed) == set()
    assert offences(sanitize(text)) == set()
    assert offences(render_markdown(text)) == set()


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("", ""),
        ("a *b* **c** ~~d~~ `e`", "<p>a <em>b</em> <strong>c</strong> <s>d</s> <code>e</code></p>\n"),
        ("# One\n###### Six", "<h3>One</h3>\n<h6>Six</h6>\n"),
        ("3. x\n4. y", '<ol start="3">\n<li>x</li>\n<li>y</li>\n</ol>\n'),
        ("> q", "<blockquote>\n<p>q</p>\n</blockquote>\n"),
        ("a  \nb\n\n---", "<p>a<br>\nb</p>\n<hr>\n"),
        ("<b>raw</b> & &amp; <", "<p>&lt;b&gt;raw&lt;/b&gt; &amp; &amp; &lt;</p>\n"),
        (
            "[t](https://a.example/?x=1&y=2 'title')",
            f'<p><a href="https://a.example/?x=1&amp;y=2" target="_blank" rel="{LINK_RELATION}">t</a></p>\n',
        ),
        (
            "<mailto:a@b.example>",
            f'<p><a href="mailto:a@b.example" target="_blank" rel="{LINK_RELATION}">mailto:a@b.example</a></p>\n',
        ),
        ("[t](/battle/1)", "<p>[t](/battle/1)</p>\n"),
        (
            "![a *cat*](https://a.example/cat.png)",
            f'<p><a href="https://a.example/cat.png" target="_blank" rel="{LINK_RELATION}">image: a cat</a></p>\n',
        ),
        (
            "![](https://a.example/cat.png)",
            f'<p><a href="https://a.example/cat.png" target="_blank" rel="{LINK_RELATION}">image</a></p>\n',
        ),
        (
            "[![alt](https://a.example/i.png) x](https://b.example)",
            f'<p><a href="https://b.example" target="_blank" rel="{LINK_RELATION}">image: alt x</a></p>\n',
        ),
        (
            "|a|b|c|d|\n|-|:-|:-:|-:|\n|1|2|3|4|",
            "<table>\n<thead>\n<tr>\n<th>a</th>\n"
            '<th class="align-left">b</th>\n<th class="align-center">c</th>\n<th class="align-right">d</th>\n'
            "</tr>\n</thead>\n<tbody>\n<tr>\n<td>1</td>\n"
            '<td class="align-left">2</td>\n<td class="align-center">3</td>\n<td class="align-right">4</td>\n'
            "</tr>\n</tbody>\n</table>\n",
        ),
        (
            '```python\nif x < 1:  # why\n    y = "s"\n```',
            '<pre><code><span class="code-keyword">if</span> x &lt; <span class="code-number">1</span>:  '
            '<span class="code-comment"># why</span>\n    y = <span class="code-string">"s"</span>\n</code></pre>\n',
        ),
        ("```\nx < 1\n```", "<pre><code>x &lt; 1\n</code></pre>\n"),
        ("```klingon\nx < 1\n```", "<pre><code>x &lt; 1\n</code></pre>\n"),
        ("    indented <b>", "<pre><code>indented &lt;b&gt;\n</code></pre>\n"),
        (
            "```diff\n-a\n+b\n```",
            '<pre><code><span class="code-deleted">-a</span>\n<span class="code-inserted">+b</span>\n</code></pre>\n',
        ),
    ],
)
def test_markdown_becomes_html(text, html):
    assert render_markdown(text) == html


INLINE = '<math display="inline"><mrow>{}</mrow></math>'
BLOCK = '<p><math display="block"><mrow>{}</mrow></math></p>\n'


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("a $x$ b", f"<p>a {INLINE.format('<mi>x</mi>')} b</p>\n"),
        (r"a \(x\) b", f"<p>a {INLINE.format('<mi>x</mi>')} b</p>\n"),
        ("a $$x$$ b", '<p>a <math display="block"><mrow><mi>x</mi></mrow></math> b</p>\n'),
        ("$$x$$", BLOCK.format("<mi>x</mi>")),
        ("$$\nx\n+ y\n$$", BLOCK.format("<mi>x</mi><mo>+</mo><mi>y</mi>")),
        ("\\[\nx\n= y\n\\]", BLOCK.format("<mi>x</mi><mo>=</mo><mi>y</mi>")),
        ("text\n$$\nx\n$$\nmore", "<p>text</p>\n" + BLOCK.format("<mi>x</mi>") + "<p>more</p>\n"),
        (
            "- item\n  \\[\n  x\n  \\]",
            '<ul>\n<li>item<p><math display="block"><mrow><mi>x</mi></mrow></math></p>\n</li>\n</ul>\n',
        ),
        (r"$\alpha \le \beta$", f"<p>{INLINE.format('<mi>α</mi><mo>≤</mo><mi>β</mi>')}</p>\n"),
        ("$a_1 * b * c_2$", None),
        ("It costs $5, or $10 with a bag.", "<p>It costs $5, or $10 with a bag.</p>\n"),
        ("From $5 to $6 and $ 7$.", "<p>From $5 to $6 and $ 7$.</p>\n"),
        (r"\$x\$ and \\(x\\)", "<p>$x$ and \\(x\\)</p>\n"),
        ("`$x$` and $", "<p><code>$x$</code> and $</p>\n"),
        ("$$ $$ \\(\\) $", "<p>$$ $$ () $</p>\n"),
        (r"$\genfrac{}{}{0pt}{}{<}{b}$", r"<p><code>\genfrac{}{}{0pt}{}{&lt;}{b}</code></p>" + "\n"),
        ("$" + "x" * 1001 + "$", f"<p><code>{'x' * 1001}</code></p>\n"),
        ("$" + "{" * 13 + "x" + "}" * 13 + "$", f"<p><code>{'{' * 13}x{'}' * 13}</code></p>\n"),
        ("$$\nx\n\ny\n$$", "<p>$$\nx</p>\n<p>y\n$$</p>\n"),
    ],
)
def test_latex_becomes_mathml_and_prices_stay(text, html):
    if html is None:
        assert "<em>" not in render_markdown(text)
    else:
        assert render_markdown(text) == html


def test_aligned_equations_become_rows_and_columns_with_classes():
    html = render_markdown("$$\\begin{aligned}a&=b\\\\c&=d\\end{aligned}$$")

    assert (html.count("<mtr>"), html.count('class="align-right"'), html.count('class="align-left"')) == (2, 2, 2)


def test_a_formula_cannot_be_laid_over_its_neighbours():
    reader = parse(render_markdown(r"$\hspace{-99em} \hspace{-100em} \rule{999em}{999em} \color{red}{x}$"))

    assert all(not re.search(r"\d{3}", value) for _, _, value in reader.attributes)
    assert not {name for _, name, _ in reader.attributes} & {"mathcolor", "mathbackground", "style", "class", "href"}


def test_only_the_first_formulas_of_a_text_are_set():
    html = render_markdown("$x$ " * 250)

    assert (html.count("<math"), html.count("<code>x</code>")) == (mathematics.FORMULAS_PER_TEXT, 50)


def test_code_is_colored_up_to_a_limit_and_never_lost():
    block = "```python\n" + "x = 1\n" * 2000 + "```\n"
    html = render_markdown(block * 3)

    assert html.count("code-number") == 2000
    assert html.count("x = ") == 6000


@pytest.mark.parametrize(
    "text",
    [
        "x" * (LONGEST_TEXT + 1),
        "<b>\n" * 10_001,
        ">" * 40 + " <b>deep",
        "- " * 40 + "<b>deep",
        "*" * 60 + "<b>" + "*" * 60,
    ],
)
def test_what_cannot_be_read_is_shown_as_it_was_written(text):
    html = render_markdown(text)

    assert html.startswith('<pre class="plain">')
    assert "".join(parse(html).text) == text
    assert offences(html) == set()


N = 190_000
LINES = markdown.MOST_LINES
SLOW = {
    "brackets": "[" * N,
    "dollars": "$a " * (N // 3),
    "block formula openers": "\\[a\n" * LINES,
    "block formulas cut": ("\\[a\n" * 39 + "b\\] c\n") * (LINES // 40),
    "wide table": "|a" * 300 + "\n" + "|-" * 300 + "\n" + "a\n" * (LINES - 2),
    "lists": "1. a\n" * LINES,
    "references": "[a]: http://b.example\n" + "[a] " * (N // 4),
    "linked images": "![a](http://b.example)" * (N // 22),
    "php": "```php\n" + "<?php /*" * 2400 + "\n```",
}


@pytest.mark.parametrize("name", SLOW)
def test_no_text_keeps_a_page_waiting(name):
    assert seconds_for(SLOW[name]) < 6


def seconds_for(text):
    started = time.process_time()
    assert render_markdown(text)
    return time.process_time() - started


@pytest.mark.slow
def test_control_without_the_step_limit_brackets_take_many_times_longer(monkeypatch):
    limited = seconds_for("[" * 100_000)
    monkeypatch.setattr(markdown, "MOST_STEPS", 10**9)

    assert seconds_for("[" * 100_000) > 4 * limited


def test_a_long_ordinary_text_is_within_the_limits():
    paragraph = "Some **words** with `code`, a [link](https://a.example) and *more*; then $x^2$.\n\n- one\n- two\n\n"

    assert "<strong>" in render_markdown(paragraph * 500)
