from __future__ import annotations

import base64
import hashlib
import json

from exportcheck.pages import Pool, embedded, page


def test_a_page_holds_its_parts_and_allows_only_them(tmp_path):
    template, style, script = (tmp_path / name for name in ("page.html", "a.css", "a.js"))
    template.write_text("$style_hash $script_hash <style>$style</style> $data $script", "utf-8")
    style.write_text("b {}", "utf-8")
    script.write_text("function start() {}", "utf-8")
    text = page(template, [style, style], [script], {"a": 1})
    digest = base64.b64encode(hashlib.sha256(b"b {}b {}").digest()).decode()
    assert text.startswith(digest)
    assert '{"a":1}' in text
    assert "function start() {}\nstart();" in text


def test_no_text_ends_the_data():
    text = embedded({"a": "</script><!-- & \x7f ü"})
    assert not set("<>&\x7fü") & set(text)
    assert json.loads(text) == {"a": "</script><!-- & \x7f ü"}


def test_a_pool_keeps_a_value_once():
    pool = Pool()
    places = [pool.place(value) for value in ("a", ["a"], "a", "", None, ["a"])]
    assert places == [1, 2, 1, 0, 0, 2]
    assert pool.values == [None, "a", ["a"]]
