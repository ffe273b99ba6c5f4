from __future__ import annotations

import pytest
import tomllib

from exportcheck.errors import UsageError
from exportcheck.toml_files import read_toml, toml_string
from tests.render.test_formats import HOSTILE


@pytest.mark.parametrize("text", ["plain", 'a "b" \\ c', "ä → 😀", ""])
def test_strings_are_read_back(text):
    assert tomllib.loads(f"x = {toml_string(text)}")["x"] == text


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_is_one_string(text):
    data = tomllib.loads(f"x = {toml_string(text)}\n")
    assert list(data) == ["x"]
    data["x"].encode()


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"a = ", "at end of document"), (b"x = 1\na b", "line 2"), (b"\xff", "is not TOML")],
)
def test_what_is_wrong_is_placed(tmp_path, content, words):
    path = tmp_path / "x.toml"
    path.write_bytes(content)
    with pytest.raises(UsageError) as caught:
        read_toml(path)
    assert words in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(UsageError, match="cannot read"):
        read_toml(tmp_path / "none.toml")
