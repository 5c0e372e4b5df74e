"""Naming photos as a visitor does, in a real Chromium."""

import pytest
from gestures import SEVEN, draw, launch_chromium, open_page
from patterns import draw_pattern
from playwright.sync_api import expect

from foundry.ui.photos.examples import open_example

pytestmark = pytest.mark.browser


def test_photos_are_named_in_the_pages_language(context, app_url):
    page = open_page(context, app_url)
    # Nothing of the tab is there before it is opened.
    expect(page.locator("#photos-photo")).to_have_count(0)
    page.get_by_role("tab", name="Photos", exact=True).click()
    # There is no pruned form of the shipped model, and of others neither.
    expect(page.locator("#photos-variants button:disabled")).to_have_count(2)
    tabs = [tab.inner_text() for tab in page.get_by_role("tab").all()]
    assert tabs[2:5] == ["Draw", "Photos", "Sentiment"]
    page.get_by_role("button", name="A cup").click()
    answer = page.locator("#photos-answer")
    expect(answer.locator(".headline b")).to_contain_text("espresso")
    expect(answer.locator(".track")).to_have_count(5)
    answer.get_by_role("button", name="espresso").click()
    expect(page.locator("#photos-looked img")).to_be_visible()
    page.get_by_role("button", name="中文").click()
    expect(answer.locator(".headline b .zh")).to_be_visible()
    expect(answer.locator(".headline b .en")).to_be_hidden()
    # What was found stays when the tab is left.
    page.get_by_role("tab", name="手写", exact=True).click()
    page.get_by_role("tab", name="照片", exact=True).click()
    expect(answer.locator(".headline b")).to_contain_text("浓缩咖啡")


def test_classes_are_taught_with_a_webcam_and_files(playwright, app_url, tmp_path):
    # The camera of a browser that is started so is a pattern that turns.
    arguments = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    browser = launch_chromium(playwright, *arguments)
    context = browser.new_context(permissions=["camera"])
    context.set_default_timeout(60_000)
    page = open_page(context, app_url)
    page.get_by_role("tab", name="Photos", exact=True).click()
    section = page.locator("#photos-teach")
    expect(section).to_be_visible()
    # Nothing of it is there before it is opened.
    expect(page.locator("#teach-board")).to_have_count(0)
    section.get_by_role("button", name="Teach it your own classes").click()
    board = page.locator("#teach-board")
    expect(board).to_contain_text("No classes yet")

    def choose(name):
        field = page.locator("#teach-class input")
        field.fill(name)
        field.press("Enter")

    choose("camera")
    camera = page.locator("#teach-camera")
    camera.get_by_role("button", name="Start the camera").click()
    take = camera.get_by_role("button", name="Take one; hold for many")
    page.wait_for_function("document.querySelector('#teach-camera video').currentTime > 0.5")
    take.click()
    expect(board.locator(".picture")).to_have_count(1)
    # Held for some frames; two may be the same where the machine is busy.
    take.hover()
    page.mouse.down()
    page.wait_for_function("Number(document.querySelector('#teach-camera .told').innerText) > 5")
    page.mouse.up()
    expect(board.locator(".picture").nth(3)).to_be_visible()
    taken = board.locator(".picture").count()
    camera.get_by_role("button", name="Stop the camera").click()
    expect(camera.locator("video")).to_be_hidden()
    page.locator("#teach-draw").get_by_role("button", name="Or draw them").click()
    draw(page, SEVEN, "#teach-pad")
    page.locator("#teach-drawn").click()
    expect(board.locator(".picture")).to_have_count(taken + 1)
    choose("spots")
    for seed in range(3):
        draw_pattern("spots", seed).save(tmp_path / f"{seed}.png")
    files = [tmp_path / f"{seed}.png" for seed in range(3)]
    page.locator("#teach-files input[type=file]").set_input_files(files)
    expect(board.locator(".picture")).to_have_count(taken + 4)
    page.locator("#teach-train").click()
    expect(page.locator("#teach-result")).to_contain_text(" right: between")
    page.locator("#teach-result td button").first.click()
    expect(page.locator("#teach-cell b")).to_contain_text("camera → camera")
    page.locator("#teach-try input[type=file]").set_input_files(files[0])
    expect(page.locator("#teach-said .headline b")).to_have_text("spots")
    # A reload keeps what belongs to the visitor.
    page.reload()
    page.get_by_role("tab", name="Photos", exact=True).click()
    page.get_by_role("button", name="Teach it your own classes").click()
    expect(board.locator(".picture")).to_have_count(taken + 4)
    # The second stage is a run: it is found again after a reload, and its outcome can be chosen.
    page.locator("#tune-start").click()
    expect(page.locator("#tune-status .state")).to_have_text("Fine-tuning")
    page.reload()
    page.get_by_role("tab", name="Photos", exact=True).click()
    page.get_by_role("button", name="Teach it your own classes").click()
    expect(page.locator("#tune-result")).to_contain_text(" set-aside pictures right, between ")
    expect(page.locator("#tune-status .state")).to_have_text("Done")
    expect(page.locator("#tune-accuracy .legend")).to_contain_text("the head alone")
    page.get_by_label("The head alone").check()
    page.locator("#teach-tuning summary").click()
    expect(page.locator("#teach-tuning .meaning")).to_contain_text("a little further")
    page.locator("#teach-delete").click()
    expect(board).to_contain_text("No classes yet")
    expect(page.locator("#tune-result")).to_be_hidden()
    browser.close()


def test_a_photo_is_covered_attacked_and_one_of_several(context, app_url, tmp_path):
    page = open_page(context, app_url)
    page.get_by_role("tab", name="Photos", exact=True).click()
    page.get_by_role("button", name="Several photos at once").click()
    open_example("A cup").save(tmp_path / "cup.jpg")
    (tmp_path / "bad.jpg").write_bytes(b"no picture")
    files = [tmp_path / "bad.jpg", tmp_path / "cup.jpg"]
    page.locator("#photos-several input[type=file]").set_input_files(files)
    expect(page.locator("#photos-several")).to_contain_text("KB")
    page.locator("#photos-several-name").click()
    expect(page.locator("#photos-several-status")).to_contain_text("1 could not be read")
    expect(page.locator("#photos-several-csv")).to_be_visible()
    page.locator("#photos-album button").click()
    answer = page.locator("#photos-answer")
    expect(answer.locator(".headline b")).to_contain_text("espresso")
    answer.get_by_role("button", name="espresso").click()
    stage, covered = page.locator("#photos-looked .stage"), page.locator("#photos-covered")
    stage.click(position={"x": 120, "y": 120})
    expect(covered.locator(".track")).to_have_count(7)
    before = covered.inner_text()
    # The same by keyboard, with a larger square.
    stage.focus()
    for key in ("ArrowLeft", "+", "+", "+", "Enter"):
        page.keyboard.press(key)
    expect(covered).not_to_have_text(before, use_inner_text=True)
    page.get_by_role("button", name="Fool it").click()
    target = page.locator("#photos-target input")
    expect(target).to_be_enabled()
    fooled = page.locator("#photos-fooled")
    expect(fooled.locator("img")).to_have_count(3)
    target.fill("goldfish")
    page.get_by_role("option", name="goldfish").click()
    expect(fooled.locator(".said b")).to_contain_text("goldfish")
    page.get_by_role("button", name="中文").click()
    expect(fooled.locator(".said")).to_contain_text("骗过了：float32 现在说它是")
    expect(covered).to_contain_text("遮住一部分")
