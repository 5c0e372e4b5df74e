from drawing import SEVEN, draw_strokes

from foundry.benchmark.harness.processor_time import draw_stroke
from foundry.benchmark.harness.served_app import OpenPage


def test_a_stroke_has_what_the_page_sends_with_one(app_url, tmp_path):
    draw_strokes(SEVEN).save(tmp_path / "seven.png")
    with OpenPage(app_url) as page:
        draw_stroke(page, tmp_path / "seven.png")
