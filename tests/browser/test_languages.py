"""The page in Chinese: nothing stays English but names and data, and the switch keeps its word."""

import re

import pytest
from gestures import SEVEN, bring_sound, choose_variant, draw, find_variant, open_page
from playwright.sync_api import expect
from speaking import speak, write_wav

pytestmark = pytest.mark.browser

# Visible texts and attributes that are read aloud, apart from inputs and what is data.
LIST_TEXTS = """() => {
  const data = '[translate=no], .notranslate, .file-preview, [role=listbox], code, script, style, '
    + '.gallery-item, .language-switch, .role-mark, .token';
  const isSeen = (element) => element.checkVisibility() && !element.closest(data);
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode())
    if (isSeen(walker.currentNode.parentElement)) found.push(walker.currentNode.data);
  for (const name of ['placeholder', 'aria-label', 'title', 'alt'])
    for (const element of document.querySelectorAll(`[${name}]`))
      if (isSeen(element)) found.push(element.getAttribute(name));
  return found;
}"""
OPEN_ALL = """() => {
  for (const folded of document.querySelectorAll('button.label-wrap:not(.open)')) folded.click();
}"""
# Names of the field's things and of what the app knows, and units: the same in both languages.
NAMES = re.findall(
    r"\S+",
    """
    Foundry Gradio API Hub id LeNet CNN LSTM Transformer EfficientNet Lite ImageNet MNIST
    ZIP NPZ IDX MedMNIST MNIST-C Morpho-MNIST BMP
    Adam AdamW adam adamw SGD sgd One cycle one constant
    FGSM PGD epsilon Dropout BERT Wav2Vec2 HuBERT CTC WAV FLAC Ogg Opus MP3 safetensors TensorBoard
    Python CSV TSV TXT XLSX SRT VTT JSON PNG JPEG WebP utf sig PyTorch OpenVINO ONNX
    openvino onnx NNCF transformer dense pruned int float masked bfloat compiled weights SST dev
    Integrated Gradients
    logits mel nat kB MB ms cpu CC lenet cnn lstm optuna random
    Speech Commands yes no up down left right on off stop go bird house
    wav2vec2 commands bert sentiment positive neutral negative
    """,
)
# The models read English, and so are the texts that they are given.
EXAMPLE = r"The \{[\w|]+\} was kind\."
NAME = re.compile(
    rf"\b(?:{EXAMPLE}|(?:{'|'.join(sorted(NAMES, key=len, reverse=True))})(?![A-Za-z]))"
)
TABS = {
    "训练": "Train",
    "搜索": "Search",
    "手写": "Draw",
    "照片": "Photos",
    "情感": "Sentiment",
    "语音": "Speech",
    "压缩": "Compress",
}


def list_english(page):
    texts = {" ".join(text.split()) for text in page.evaluate(LIST_TEXTS)}
    return sorted(text for text in texts if re.search("[A-Za-z]{2}", NAME.sub("", text)))


@pytest.fixture
def chinese(new_context, app_url):
    """A page that nobody has used."""
    return open_page(new_context(locale="zh-CN"), app_url)


@pytest.fixture(scope="module")
def shared_chinese(new_shared_context, app_url):
    """One page for the tests that each use another tab."""
    return open_page(new_shared_context(locale="zh-CN"), app_url)


def open_tab(page, name):
    page.get_by_role("tab", name=name, exact=True).click()


def test_every_tab_speaks_chinese_as_it_opens(chinese):
    expect(chinese.locator("html")).to_have_attribute("lang", "zh-CN")
    expect(chinese.locator("#train-start")).to_have_text("开始")
    for tab in TABS:
        open_tab(chinese, tab)
        chinese.evaluate(OPEN_ALL)
        chinese.wait_for_timeout(500)
        assert list_english(chinese) == [], tab


def test_a_training_and_what_comes_out_of_it_speak_chinese(new_context, app_url):
    # More than can be over before it is stopped.
    chinese = open_page(new_context(locale="zh-CN"), f"{app_url}?tab=train&epochs=60")
    expect(chinese.locator("input[type=number][aria-label^='轮数']")).to_have_value("60")
    chinese.locator("#train-start").click()
    expect(chinese.locator("#train-status")).to_contain_text("张图片", timeout=120_000)
    assert list_english(chinese) == []
    chinese.locator("#train-stop").click()
    expect(chinese.locator(".figures")).to_contain_text("测试集准确率", timeout=120_000)
    chinese.locator("#confusion-matrix button[data-cell='0']").click()
    expect(chinese.get_by_text("，被认作").first).to_be_visible()
    chinese.wait_for_timeout(500)
    assert list_english(chinese) == []


def test_a_choice_of_ours_speaks_chinese_and_still_chooses(shared_chinese):
    open_tab(shared_chinese, "情感")
    field = shared_chinese.locator("#sentiment-model input")
    expect(field).to_have_value("BERT，六层（自带）")
    field.click()
    option = shared_chinese.locator("#sentiment-model [role=option]").first
    expect(option).to_contain_text("BERT，六层（自带）")
    option.click()
    expect(field).to_have_value("BERT，六层（自带）")
    # What was chosen is its name, not the words on the page.
    shared_chinese.locator("#sentiment-text textarea").fill("A warm and funny film.")
    expect(shared_chinese.locator("#sentiment-answer")).to_contain_text("positive")
    shared_chinese.locator("[data-language=en]").click()
    expect(field).to_have_value("BERT, six layers (shipped)")
    shared_chinese.locator("[data-language=zh-CN]").click()


def test_a_drawing_and_its_answer_speak_chinese(shared_chinese):
    open_tab(shared_chinese, "手写")
    choose_variant(shared_chinese, "draw", "int8")
    draw(shared_chinese, SEVEN)
    expect(shared_chinese.locator("#draw-answer")).to_contain_text("把握")
    expect(find_variant(shared_chinese, "draw", "int8")).to_contain_text("7")
    assert list_english(shared_chinese) == []


def test_a_scored_text_its_words_and_an_error_speak_chinese(shared_chinese, tmp_path):
    open_tab(shared_chinese, "情感")
    shared_chinese.locator("#sentiment-text textarea").fill("A warm and funny film.")
    expect(shared_chinese.locator("#sentiment-words")).to_contain_text("积分梯度")
    shared_chinese.locator("#sentiment-words").get_by_text("funny", exact=True).click()
    expect(shared_chinese.locator("#sentiment-comparison")).to_contain_text("去掉“funny”")
    shared_chinese.locator("#sentiment-score").click()
    expect(shared_chinese.locator(".toast-wrap")).to_contain_text("打分")
    shared_chinese.locator("#sentiment-lines textarea").fill("good\nbad")
    shared_chinese.locator("#sentiment-score").click()
    expect(shared_chinese.locator("#sentiment-status")).to_contain_text("完成")
    shown = list_english(shared_chinese)
    # The labels and the word struck out are the model's and the visitor's.
    assert [
        text for text in shown if not re.search("“(funny|positive)”|(posi|nega)tive|neutral", text)
    ] == []


def test_a_transcript_and_its_figures_speak_chinese(shared_chinese, tmp_path):
    open_tab(shared_chinese, "语音")
    shared_chinese.locator("#speech-start").click()
    expect(shared_chinese.locator(".toast-wrap")).to_contain_text("还没有声音")
    recording = tmp_path / "seven.wav"
    write_wav(recording, speak("seven")[0])
    bring_sound(shared_chinese, recording)
    expect(shared_chinese.locator("#speech-transcript .legend")).to_contain_text("不确定")
    shared_chinese.locator("#speech-reference textarea").fill("seven")
    shared_chinese.locator("#speech-compare").click()
    expect(shared_chinese.locator("#speech-score")).to_contain_text("词错误率")
    assert list_english(shared_chinese) == []
    # The player's button is found, and seen to play, whatever it is called.
    shared_chinese.evaluate(
        """() => new MutationObserver(() => {
          window.isFollowed ||= document.querySelector('#speech-transcript button.now') !== null;
        }).observe(document.body, {subtree: true, attributes: true})"""
    )
    shared_chinese.locator("#speech-transcript").get_by_text("seven", exact=True).click()
    shared_chinese.wait_for_function("window.isFollowed")


def test_the_switch_works_at_once_both_ways_and_is_remembered(page):
    page.evaluate("window.isSamePage = true")
    expect(page.get_by_role("group", name="Language")).to_be_visible()
    chinese = page.get_by_role("button", name="中文")
    chinese.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#train-start")).to_have_text("开始")
    expect(chinese).to_have_attribute("aria-pressed", "true")
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    page.get_by_role("button", name="English").click()
    expect(page.locator("#train-start")).to_have_text("Start")
    assert re.search(r"[\u4e00-\u9fff]", "".join(page.evaluate(LIST_TEXTS))) is None
    chinese.click()
    assert page.evaluate("window.isSamePage")
    page.reload()
    expect(page.locator("#train-start")).to_have_text("开始")


def test_an_english_page_in_a_chinese_browser_is_all_english(chinese):
    chinese.get_by_role("button", name="English").click()
    for tab in TABS.values():
        open_tab(chinese, tab)
        texts = "\n".join(chinese.evaluate(LIST_TEXTS))
        assert re.findall(r".*[\u4e00-\u9fff].*", texts) == []
    chinese.reload()
    expect(chinese.locator("#train-start")).to_have_text("Start")


def test_what_a_visitor_types_and_sends_stays_as_it_is(chinese, tmp_path):
    open_tab(chinese, "情感")
    box = chinese.locator("#sentiment-text textarea")
    box.fill("Stop")
    words = chinese.locator("#sentiment-words .words")
    expect(words).to_have_text("Stop")
    chinese.get_by_role("button", name="English").click()
    chinese.get_by_role("button", name="中文").click()
    expect(box).to_have_value("Stop")
    expect(words).to_have_text("Stop")
    table = tmp_path / "Start.csv"
    table.write_text("Text,Model\nStop,Cancel\nClear,Draw\n")
    chinese.locator("#sentiment-file input[type=file]").set_input_files(table)
    expect(chinese.locator("#sentiment-file")).to_contain_text("Start")
    expect(chinese.get_by_text("2 行")).to_be_visible()
    chinese.locator("#sentiment-score").click()
    expect(chinese.locator("#sentiment-status")).to_contain_text("完成")
    cells = chinese.locator(".notranslate:visible").first
    expect(cells).to_contain_text("Stop")
    expect(cells).not_to_contain_text("停止")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_switch_is_in_sight_on_a_phone(new_context, app_url, theme):
    page = open_page(new_context(375, 800, locale="zh-CN"), f"{app_url}?__theme={theme}")
    box = page.locator(".language-switch").bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= 375 and box["y"] < 200
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
