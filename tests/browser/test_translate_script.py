"""The scripts that translate, by themselves on a blank page: no server."""

import pytest

from foundry.ui.page.language import read_scripts

pytestmark = pytest.mark.browser

CATALOGUE = {
    "Stop": "停止",
    "Loading MNIST": "加载 MNIST",
    "{n:number} texts": "{n} 段文本",
    "{n:number} texts left": "剩 {n} 段文本",
    "{state:text} after {took:text}.": "{took}后{state}。",
    "{n:number} s": "{n} 秒",
    "No model “{name}”; take {names}.": "没有“{name}”；有 {names}。",
    "{first:text}; {rest:text}": "{first}；{rest}",
    "It stays. Nothing is lost.": "不变，也不丢。",
    "Cost: $5 (or more)?": "五美元？",
}


@pytest.fixture(scope="module")
def translating(chromium):
    """A page on which texts are given to the translator, and nothing is shown."""
    page = chromium.new_page()
    page.add_script_tag(content=read_scripts())
    yield page
    page.close()


@pytest.fixture
def blank(chromium):
    page = chromium.new_page()
    page.add_script_tag(content=read_scripts())
    yield page
    page.close()


@pytest.mark.parametrize(
    ("text", "translation"),
    [
        ("Stop", "停止"),
        ("  Stop\n", "停止"),
        ("stop", None),
        ("Stop it", None),
        ("12 texts", "12 段文本"),
        ("1,234 texts left", "剩 1,234 段文本"),
        ("many texts", None),
        ("Stop after 12 s.", "12 秒后停止。"),
        ("Anything after 12 s.", "12 秒后Anything。"),
        # What stands in quotes is somebody's, and stays.
        ("No model “Stop”; take Stop, $1.", "没有“Stop”；有 Stop, $1。"),
        ("No model “{n}\n(.*)”; take a.", "没有“{n} (.*)”；有 a。"),
        ("12 texts; Stop", "12 段文本；停止"),
        # A template without words takes only what is known.
        ("Stop; unheard of", None),
        ("Loading MNIST.", "加载 MNIST。"),
        ("Stop after 12 s. It stays. Nothing is lost.", "12 秒后停止。不变，也不丢。"),
        ("Unheard of. Stop after 12 s.", "Unheard of. 12 秒后停止。"),
        ("Cost: $5 (or more)?", "五美元？"),
        ("Cost: 5", None),
        # What ends with a place ends with its sentence; what is in quotes may hold several.
        ("No model “x”; take a, b. It stays. Nothing is lost.", "没有“x”；有 a, b。不变，也不丢。"),
        ("No model “x”; take a. Stop. 12 texts", "没有“x”；有 a。停止。12 段文本"),
        ("Unheard of. No model “x”; take a. 12 texts", "Unheard of. 没有“x”；有 a。12 段文本"),
        ("No model “A dog. A cat.”; take a.", "没有“A dog. A cat.”；有 a。"),
        ("", None),
        ("7", None),
    ],
)
def test_templates(translating, text, translation):
    script = "([catalogue, text]) => foundryTranslator(catalogue)(text)"
    assert translating.evaluate(script, [CATALOGUE, text]) == translation


def follow(page, body):
    page.set_content(body)
    page.add_script_tag(content=read_scripts())
    sections = {"Foundry": CATALOGUE, "Composed": {}, "Gradio": {"Drop File Here": "放到此处"}}
    page.evaluate("(sections) => foundryLanguages({'zh-CN': sections})", sections)
    page.evaluate(
        """document.body.insertAdjacentHTML('beforeend',
             '<button data-language="en">E</button><button data-language="zh-CN">Z</button>')"""
    )


def test_texts_and_attributes_follow_and_go_back(blank):
    follow(blank, "<p id=p title=Stop>Stop <b>12 s</b></p><input placeholder=Stop value=Stop>")
    choose = "(language) => document.querySelector(`[data-language=${language}]`).click()"
    blank.evaluate(choose, "zh-CN")
    assert blank.inner_html("#p") == "停止 <b>12 秒</b>"
    assert blank.get_attribute("#p", "title") == "停止"
    assert blank.get_attribute("input", "placeholder") == "停止"
    assert blank.input_value("input") == "Stop"
    blank.evaluate("document.querySelector('#p b').firstChild.data = '13 s'")
    assert blank.inner_html("#p") == "停止 <b>13 秒</b>"
    blank.evaluate(choose, "en")
    assert blank.inner_html("#p") == "Stop <b>13 s</b>"
    assert blank.get_attribute("#p", "title") == "Stop"


def test_what_is_marked_or_typed_is_left_alone(blank):
    kept = (
        "<p translate=no title=Stop>Stop</p><p class=notranslate>Stop</p><code>Stop</code>"
        "<div contenteditable><p>Stop</p></div><textarea>Stop</textarea>"
        "<ul role=listbox><li>Stop</li></ul>"
    )
    follow(blank, f"<main>{kept}</main>")
    before = blank.inner_html("main")
    blank.evaluate("document.querySelector('[data-language=zh-CN]').click()")
    assert blank.inner_html("main") == before
    blank.evaluate("document.querySelector('[translate=no]').append('Stop')")
    assert blank.inner_text("[translate=no]") == "StopStop"


def test_a_drop_down_of_ours_is_translated_and_keeps_its_english_value(blank):
    options = "<div><ul role=listbox><li>Stop</li></ul></div>"
    follow(blank, f"<div class=our-choices><input value=Stop>{options}</div>")
    choose = "(language) => document.querySelector(`[data-language=${language}]`).click()"
    # What the page's own scripts read; the test's own would see what is shown.
    field = """() => {
      const input = document.querySelector('input');
      return [HTMLInputElement.prototype.__lookupGetter__('value').call(input), input.value];
    }"""
    blank.evaluate(choose, "zh-CN")
    assert blank.evaluate(field) == ["停止", "Stop"]
    assert blank.inner_text("li") == "停止"
    blank.evaluate("document.querySelector('input').value = '12 texts'")
    assert blank.evaluate(field) == ["12 段文本", "12 texts"]
    # What is typed is read as it is.
    blank.fill("input", "12 段")
    assert blank.evaluate(field) == ["12 段", "12 段"]
    blank.evaluate("document.querySelector('input').value = 'Stop'")
    blank.evaluate(choose, "en")
    assert blank.evaluate(field) == ["Stop", "Stop"]


def test_gradios_chinese_is_english_on_an_english_page(blank):
    follow(blank, "<p>放到此处</p>")
    assert blank.inner_text("p") == "Drop File Here"


def test_it_does_not_chase_its_own_changes(blank):
    follow(blank, "<p>Stop</p>")
    writes = blank.evaluate(
        """async () => {
          let writes = 0;
          new MutationObserver((changes) => { writes += changes.length; })
            .observe(document.querySelector('p'), {characterData: true, subtree: true});
          document.querySelector('[data-language=zh-CN]').click();
          await new Promise((resolve) => setTimeout(resolve, 200));
          return writes;
        }"""
    )
    assert writes == 1


def test_a_thousand_new_lines_take_no_time(blank):
    follow(blank, "<p>Stop</p>")
    blank.evaluate("document.querySelector('[data-language=zh-CN]').click()")
    elapsed_ms = blank.evaluate(
        """async () => {
          const node = document.querySelector('p').firstChild, started = performance.now();
          for (let n = 0; n < 1000; n++) {
            node.data = `${n} texts left`;
            await null;
          }
          return performance.now() - started;
        }"""
    )
    assert elapsed_ms < 2000
    assert blank.inner_text("p") == "剩 999 段文本"
