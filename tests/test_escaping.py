from __future__ import annotations

import pytest

from exportcheck.escaping import brief, github, markdown_code, markdown_link, printable, tail
from exportcheck.escaping import spreadsheet as cell


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain → text", "plain → text"),
        ("\x1b[31m", r"\x1b[31m"),
        ("a\nb\tc", r"a\nb\tc"),
        ("\ud800", r"\ud800"),
        ("\u202e", r"\u202e"),
        ("\ufffe", r"\ufffe"),
        ("\U000e0001", r"\U000e0001"),
    ],
)
def test_what_cannot_be_printed_is_shown(text, shown):
    assert printable(text) == shown


def test_what_is_kept_stays():
    assert printable("a\nb\rc", kept="\n") == "a\nb\\rc"


@pytest.mark.parametrize("length", [299, 300])
def test_brief_keeps_what_fits(length):
    assert brief("x" * length) == "x" * length


def test_brief_and_tail_say_that_they_cut():
    assert brief("x" * 301) == "x" * 299 + "…"
    assert tail("abc" + "x" * 10, 10) == "[3 characters left out]\n" + "x" * 10
    assert tail("x" * 10, 10) == "x" * 10


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a", "`a`"),
        ("", "`  `"),
        ("a`b", "``a`b``"),
        ("`a`", "`` `a` ``"),
        ("a``b", "```a``b```"),
        ("a|b", r"`a\|b`"),
    ],
)
def test_code_spans_have_a_fence_longer_than_any_within(text, code):
    assert markdown_code(text) == code


@pytest.mark.parametrize(
    ("url", "link"),
    [
        ("", ""),
        ("https://example.org/a?b=1#c", "[issue](https://example.org/a?b=1#c)"),
        ("javascript:alert(1)", "`javascript:alert(1)`"),
        ("https://example.org/a) [b](c", "`https://example.org/a) [b](c`"),
    ],
)
def test_links_are_links_where_that_is_safe(url, link):
    assert markdown_link("issue", url) == link


@pytest.mark.parametrize("first", "=+-@")
def test_no_cell_is_a_formula(first):
    assert cell(f"{first}1") == f"'{first}1"


def test_github_escapes_more_in_attributes():
    assert github("50%: a,\nb") == "50%25: a,%0Ab"
    assert github("50%: a,\nb", attribute=True) == "50%25%3A a%2C%0Ab"
