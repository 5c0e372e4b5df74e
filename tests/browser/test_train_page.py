"""Training as a visitor sees it, in a real Chromium."""

import re

import pytest
from gestures import ONE, SEVEN, draw, set_number
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

DONE = re.compile(r"Done|Stopped|Failed|Interrupted")


CURVE = "#train-curves .curve"


def curve_length(page):
    """Characters of the path of the first curve; it grows as points are added."""
    paths = page.locator(CURVE)
    return len(paths.first.get_attribute("d") or "") if paths.count() else 0


def wait_for_growth(page, length):
    page.wait_for_function(
        """([curve, length]) => {
          const path = document.querySelector(curve);
          return path && (path.getAttribute('d') || '').length > length;
        }""",
        arg=[CURVE, length],
    )


LIST_CUT_LABELS = """() => [...document.querySelectorAll('#train-curves figure')].flatMap(chart =>
  [...chart.querySelectorAll('text')].filter(label => {
    const [inner, outer] = [label, chart].map(node => node.getBoundingClientRect());
    return inner.left < outer.left || inner.right > outer.right || inner.bottom > outer.bottom;
  }).map(label => label.textContent))"""


@pytest.fixture
def form(shared_page):
    """The form of a visitor who trains nothing; nothing in it is refused."""
    shared_page.get_by_role("button", name="English").click()
    set_number(shared_page, "Learning rate", 0.014)
    expect(shared_page.locator(".refused")).to_have_count(0)
    return shared_page


def start_long_run(page):
    set_number(page, "Epochs", 60)
    page.locator("#train-start").click()
    expect(page.locator("#train-status")).to_contain_text("images/s", timeout=120_000)


def test_a_finished_run_shows_its_result(page):
    set_number(page, "Training images", 5000)
    expect(page.locator("#train-updates")).to_contain_text("42 updates of the weights, 14 in each")
    expect(page.locator("#train-updates")).to_contain_text("take the preset Few images")
    page.locator("#train-start").click()
    expect(page.locator("#train-status")).to_contain_text("Done", timeout=180_000)
    expect(page.locator(".figures")).to_contain_text("test accuracy")
    # Labels that came while it trained have room too.
    expect(page.locator("#train-curves figure:visible")).to_have_count(2)
    assert page.evaluate(LIST_CUT_LABELS) == []
    # By keyboard: what each curve was at its last point.
    page.locator("#train-curves .plot").last.focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#train-curves .tip:visible")).to_contain_text(
        re.compile(r"Epoch 3.*validation\d\d\.\d\d%")
    )
    # Every test image is in one cell of the matrix.
    counts = page.locator("#confusion-matrix button[data-cell]").all_inner_texts()
    assert sum(int(count) for count in counts) == 10_000
    page.locator('#confusion-matrix button[data-cell="0"]').click()
    expect(page.get_by_text("read as 0")).to_be_visible()
    # No caption covers its picture.
    mistake = page.locator(".images .thumbnail-item:visible").last
    picture, caption = (mistake.locator(part) for part in ("img", ".caption-label"))
    expect(caption).to_contain_text("→")
    box = picture.bounding_box()
    assert caption.bounding_box()["y"] >= box["y"] + box["height"] - 1


def test_a_run_is_watched_from_its_start_tried_renamed_and_deleted(page):
    watched, when = page.locator("#train-watch"), page.locator("#train-watch .when")
    expect(watched.locator(".digits li")).to_have_count(20)
    expect(when).to_contain_text("Untrained")
    set_number(page, "Epochs", 1)
    page.locator("#train-start").click()
    expect(page.locator("#train-headline")).to_contain_text("mistakes", timeout=180_000)
    # Nearly every digit came out right; at its start the slider shows what it was before.
    expect(when).to_contain_text("updates")
    at_end = watched.locator(".digits .right").count()
    slider = watched.locator("input[type=range]")
    slider.focus()
    page.keyboard.press("Home")
    expect(when).to_contain_text("Untrained")
    assert watched.locator(".digits .right").count() < at_end
    watched.get_by_role("button", name="Play").click()
    expect(when).to_contain_text("updates")

    page.get_by_role("button", name="Draw one for it").click()
    expect(page.get_by_role("tab", name="Draw")).to_have_attribute("aria-selected", "true")
    # However far down the page it was pressed, the pad is in sight.
    expect(page.locator("#draw-pad canvas")).to_be_in_viewport(ratio=1)
    expect(page.locator("#draw-model input")).to_have_value(re.compile("Your run LeNet, 1 epoch,"))

    page.get_by_role("tab", name="Train").click()
    page.get_by_role("button", name="Your runs").click()
    run = page.locator("#own-runs li")
    expect(run).to_contain_text("Done")
    run.get_by_role("button", name="Rename").click()
    page.get_by_label("Name of the run").fill("My first")
    page.keyboard.press("Enter")
    expect(run).to_contain_text("My first (")
    run.get_by_role("button", name="Delete").click()
    run.get_by_role("button", name="Delete it?").click()
    expect(run).to_have_count(0)
    expect(page.locator("#train-status")).to_contain_text("Nothing trained yet")
    expect(page.locator("#train-headline")).to_be_hidden()


def test_the_visitors_own_digit_is_followed_through_training_and_back(page):
    row = page.locator("#train-replay > button")
    row.focus()
    page.keyboard.press("Enter")
    cards, own = page.locator("#train-replayed .cards .card"), page.locator("#train-replayed .own")
    expect(cards).to_have_count(8)
    expect(own).to_contain_text("Draw a digit")
    page.locator("#train-pad canvas").scroll_into_view_if_needed()
    draw(page, SEVEN, "#train-pad")
    answer = own.locator(".answer")
    expect(answer).not_to_be_empty()
    set_number(page, "Training images", 5000)
    page.locator("#train-start").click()
    expect(page.locator("#train-headline")).to_contain_text("mistakes", timeout=180_000)
    page.locator("#train-replayed").scroll_into_view_if_needed()
    expect(own).to_contain_text("Read as 7 since update")
    expect(answer).to_have_text("7")
    counts = page.locator("#train-replayed td").all_inner_texts()
    assert sum(int(count or 0) for count in counts) == 500
    # At the start it was something else, and playing brings the seven back.
    page.locator("#train-watch input[type=range]").focus()
    page.keyboard.press("Home")
    expect(answer).not_to_have_text("7")
    page.locator("#train-watch").get_by_role("button", name="Play").click()
    expect(answer).to_have_text("7")
    # What is drawn while the answer to something else is on its way is answered, too.
    page.locator("#train-pad").get_by_role("button", name="Clear").click()
    draw(page, ONE, "#train-pad")
    expect(answer).to_have_text("1")
    expect(own).to_contain_text("Read as 1")


def test_curves_move_reload_re_attaches_and_stop_keeps_the_weights(page):
    start_long_run(page)
    wait_for_growth(page, 0)
    wait_for_growth(page, curve_length(page))
    page.reload()
    expect(page.locator("#train-status")).to_contain_text("Training")
    # The form shows the settings of the run on show, not the default's.
    epochs = page.get_by_role("spinbutton", name=re.compile("Epochs"))
    expect(epochs.first).to_have_value("60")
    wait_for_growth(page, 0)
    page.locator("#train-stop").click()
    expect(page.locator("#train-status")).to_contain_text("Stopped", timeout=120_000)
    expect(page.locator(".figures")).to_contain_text("test accuracy")
    page.get_by_role("tab", name="Draw").click()
    page.locator("#draw-model input").click()
    expect(page.get_by_role("option", name=re.compile("Your run"))).to_be_visible()


def test_pause_frees_the_worker_and_resume_goes_on(page):
    start_long_run(page)
    page.locator("#train-pause").click()
    expect(page.locator("#train-status")).to_contain_text("Paused", timeout=120_000)
    before = page.locator("#train-watch .when").inner_text()
    page.locator("#train-step").click()
    expect(page.locator("#train-watch .when")).not_to_have_text(before)
    expect(page.locator("#train-status")).to_contain_text("Paused", timeout=120_000)
    page.locator("#train-resume").click()
    expect(page.locator("#train-status")).to_contain_text("images/s", timeout=120_000)
    page.locator("#train-stop").click()
    expect(page.locator("#train-status")).to_contain_text("Stopped", timeout=120_000)


def test_a_second_visitor_waits_in_line_and_sees_nothing_of_the_first(page, new_context, app_url):
    start_long_run(page)
    try:
        visitor = new_context().new_page()
        visitor.goto(app_url)
        expect(visitor.locator("#train-status")).to_contain_text("Nothing trained yet")
        visitor.locator("#train-start").click()
        expect(visitor.locator("#train-status")).to_contain_text("1 run before this one")
        visitor.locator("#train-stop").click()
        expect(visitor.locator("#train-status")).to_contain_text("Stopped")
        expect(page.locator("#train-status")).to_contain_text("Training")
    finally:
        page.locator("#train-stop").click()
        expect(page.locator("#train-status")).to_contain_text(DONE, timeout=120_000)


def test_a_wrong_setting_is_explained_and_nothing_is_lost(form):
    set_number(form, "Learning rate", 7)
    form.locator("#train-start").click()
    expect(form.get_by_text("Learning rate is 7")).to_be_visible()
    assert "Traceback" not in form.content()
    expect(form.locator("#train-status")).to_contain_text("Nothing trained yet")


@pytest.mark.parametrize("language", ["English", "中文"])
def test_an_error_marks_its_field_until_it_is_changed(form, language):
    # By its place: in the other language it has another name.
    field = form.get_by_label(re.compile("^Learning rate")).first
    field.fill("7")
    handle = field.element_handle()
    form.get_by_role("button", name=language).click()
    form.locator("#train-start").click()
    expect(form.locator(".refused")).to_have_count(1)
    assert form.locator(".refused").evaluate("(block, input) => block.contains(input)", handle)
    handle.fill("0.01")
    expect(form.locator(".refused")).to_have_count(0)
