"""Drawing as a visitor does, in a real Chromium."""

import pytest
from drawing import photograph
from gestures import FOUR, ONE, SEVEN, draw, set_number
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


@pytest.fixture
def pad(shared_page):
    """The page with an empty pad, and no answer from before."""
    shared_page.get_by_role("tab", name="Draw").click()
    shared_page.locator("#draw-pad canvas").wait_for()
    shared_page.get_by_role("button", name="Clear").click()
    expect(shared_page.locator("#draw-answer")).to_contain_text("Draw a digit")
    expect(shared_page.locator("#draw-answer .answer b")).to_have_count(0)
    return shared_page


@pytest.mark.parametrize(("digit", "strokes"), [("7", SEVEN), ("1", ONE), ("4", FOUR)])
def test_a_digit_drawn_with_the_mouse_is_read(pad, digit, strokes):
    draw(pad, strokes)
    expect(pad.locator("#draw-answer .answer b")).to_have_text(digit)
    expect(pad.locator("#draw-answer .digit-bars .track")).to_have_count(10)


def test_the_pad_answers_while_the_stroke_is_still_being_drawn(pad):
    box = pad.locator("#draw-pad canvas").bounding_box()
    pad.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.2 * box["height"])
    pad.mouse.down()
    for step in range(8):
        pad.mouse.move(
            box["x"] + 0.5 * box["width"], box["y"] + (0.3 + 0.05 * step) * box["height"]
        )
        pad.wait_for_timeout(60)
    expect(pad.locator("#draw-answer .answer b")).to_be_visible()
    pad.mouse.up()


def test_undo_takes_back_a_stroke_and_clear_empties_the_pad(pad):
    draw(pad, SEVEN)
    expect(pad.locator("#draw-answer .answer b")).to_have_text("7")
    pixels = "document.querySelector('#draw-pad canvas').toDataURL()"
    pad.evaluate(f"window.before = {pixels}")
    draw(pad, [[(0.1, 0.9), (0.9, 0.9)]])
    pad.wait_for_function(f"{pixels} !== before")
    pad.get_by_role("button", name="Undo").click()
    pad.wait_for_function(f"{pixels} === before")
    expect(pad.locator("#draw-answer .answer b")).to_have_text("7")
    pad.get_by_role("button", name="Clear").click()
    expect(pad.locator("#draw-answer")).to_contain_text("Draw a digit")
    expect(pad.locator("#draw-answer .answer b")).to_have_count(0)


def test_a_photo_is_read_after_a_visit_to_the_results_of_a_run(page, mnist, tmp_path):
    """Other parts of the page must not catch the upload."""
    set_number(page, "Training images", 500)
    page.locator("#train-start").click()
    expect(page.locator(".figures")).to_contain_text("test accuracy", timeout=120_000)
    page.get_by_role("tab", name="Draw").click()
    photo = tmp_path / "photo.png"
    digits = mnist.test.images[:3].numpy()
    photograph(digits, [(40, 60), (180, 60), (320, 60)], 460, 200).save(photo)
    page.locator("input[type=file]").set_input_files(photo)
    expect(page.get_by_text("3 digits, read line by line")).to_be_visible()


def test_touch_draws_too(new_context, app_url):
    context = new_context(375, 800, has_touch=True)
    page = context.new_page()
    page.goto(app_url)
    page.get_by_role("tab", name="Draw").click()
    canvas = page.locator("#draw-pad canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    session = context.new_cdp_session(page)

    def touch(kind, *points):
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": list(points)})

    x = box["x"] + box["width"] / 2
    touch("touchStart", {"x": x, "y": box["y"] + 0.15 * box["height"]})
    for share in range(20, 90, 5):
        touch("touchMove", {"x": x, "y": box["y"] + share / 100 * box["height"]})
    touch("touchEnd")
    expect(page.locator("#draw-answer .answer b")).to_have_text("1", timeout=60_000)
    # Nothing sticks out at the width of a phone.
    assert page.evaluate("document.documentElement.scrollWidth") <= 375


def test_nothing_is_fetched_from_anywhere_else(context, app_url):
    foreign = []
    page = context.new_page()
    page.on(
        "request",
        lambda request: (
            foreign.append(request.url)
            if not request.url.startswith((app_url, "data:", "blob:"))
            else None
        ),
    )
    page.goto(app_url)
    page.locator("#train-start").wait_for()
    page.get_by_role("tab", name="Draw").click()
    page.wait_for_timeout(500)
    assert foreign == []


def test_the_pad_stays_where_it_is_when_the_answer_arrives(pad):
    before = pad.locator("#draw-pad canvas").bounding_box()
    draw(pad, SEVEN)
    expect(pad.locator("#draw-answer .answer b")).to_be_visible()
    assert pad.locator("#draw-pad canvas").bounding_box() == before


def test_what_the_network_sees_is_asked_for_only_where_it_is_looked_at(new_context, app_url):
    page = new_context(375, 640).new_page()
    page.goto(app_url)
    page.get_by_role("tab", name="Draw").click()
    maps = page.locator("#draw-maps")
    expect(maps.get_by_text("Draw first")).to_have_count(3)
    page.locator("#draw-pad canvas").evaluate("canvas => canvas.scrollIntoView({block: 'end'})")
    draw(page, SEVEN)
    expect(page.locator("#draw-answer .answer b")).to_have_text("7")
    # Longer than the page waits between two looks.
    page.wait_for_timeout(1_500)
    expect(maps.locator("img")).to_have_count(0)
    maps.scroll_into_view_if_needed()
    expect(maps.locator("img")).to_have_count(3)
    page.get_by_role("button", name="Clear").evaluate("button => button.click()")
    expect(maps.locator("img")).to_have_count(0)


def test_a_closed_row_asks_for_nothing_and_an_open_one_follows_the_drawing(pad):
    draw(pad, SEVEN)
    expect(pad.locator("#draw-answer .answer b")).to_have_text("7")
    expect(pad.locator("#draw-looked img")).to_have_count(0)
    row = pad.locator("#draw-looked-row > button")
    row.focus()
    pad.keyboard.press("Enter")
    looked = pad.locator("#draw-looked")
    expect(looked).to_contain_text("Why 7?")
    expect(looked).to_contain_text("completeness error")
    # "Why not 9?", by keyboard.
    pad.locator("#draw-rival input").last.focus()
    pad.keyboard.press("Space")
    expect(looked).to_contain_text("Why 7 and not 9?")
    pad.locator("#draw-pad canvas").scroll_into_view_if_needed()
    pad.get_by_role("button", name="Clear").click()
    looked.scroll_into_view_if_needed()
    expect(looked).to_contain_text("Draw a digit on the pad first")
    row.click()


def test_any_square_is_taken_apart_by_pointer_and_by_keyboard(pad):
    draw(pad, SEVEN)
    expect(pad.locator("#draw-answer .answer b")).to_have_text("7")
    row = pad.locator("#draw-neuron-row > button")
    row.click()
    neuron = pad.locator("#draw-neuron")
    neuron.scroll_into_view_if_needed()
    first, second = (neuron.locator(".layers canvas").nth(place) for place in (0, 1))
    # In the middle of the first map.
    first.click(position={"x": 40, "y": 40})
    expect(neuron.locator(".place")).to_contain_text("Map 1, row")
    expect(neuron.locator(".numbers")).to_have_count(3)
    second.focus()
    pad.keyboard.press("PageDown")
    expect(neuron.locator(".place")).to_have_text("Map 2, row 1, column 1")
    expect(neuron.locator(".fed button")).to_have_count(6)
    neuron.locator(".outs button").nth(7).click()
    expect(neuron.locator(".place")).to_have_text("Digit 7")
    figures = [float(one.replace("\u2212", "-")) for one in neuron.locator("dd").all_inner_texts()]
    assert figures[0] + figures[1] == pytest.approx(figures[2], abs=2e-4)
    # From an output to the neuron that fed it most.
    neuron.locator(".fed button").first.click()
    expect(neuron.locator(".place")).to_contain_text("Neuron")
    row.click()


def test_a_seven_is_fooled_into_a_chosen_digit(pad):
    draw(pad, SEVEN)
    expect(pad.locator("#draw-answer .answer b")).to_have_text("7")
    pad.locator("#draw-fool-row > button").click()
    fooled = pad.locator("#draw-fooled")
    fooled.scroll_into_view_if_needed()
    expect(fooled).to_contain_text("smallest strength that works")
    pad.locator("#draw-target").get_by_text("3", exact=True).click()
    expect(fooled).to_contain_text("read as 3.")
    expect(fooled.locator(".answer b")).to_have_text(["7", "3"])
    expect(fooled.locator("figure img")).to_have_count(3)
    expect(fooled.locator("tbody tr")).to_have_count(4)
    # By keyboard: without any strength.
    pad.locator("#draw-epsilon input[type=range]").press("Home")
    expect(fooled).to_contain_text("still read as 7.")
    pad.locator("#draw-fool-row > button").click()
