import json
from dataclasses import asdict, fields, replace
from pathlib import Path

import gradio as gr
import numpy as np
import pytest
from drawing import SEVEN, data_url, draw_strokes, photograph, redraw
from PIL import Image
from waiting import PATIENCE_S, wait_until

from foundry.data import load_mnist
from foundry.errors import ArtifactError, InputError
from foundry.runs.folders import RUNS_DIR_VARIABLE, write_status
from foundry.training import TrainConfig
from foundry.training.config import PRESETS
from foundry.training.runs import create_run, read_run
from foundry.ui.components.model_choice import list_digit_models, load_digit_model
from foundry.ui.draw import tab as draw_tab
from foundry.ui.draw.pad import decode_drawing
from foundry.ui.page.feedback import shows_errors
from foundry.ui.page.visitor import on_arrive
from foundry.ui.train import compare as compare_view
from foundry.ui.train import results as results_view
from foundry.ui.train import tab as train_tab
from foundry.ui.train.form import PRESET_NOTES, on_preset

KNOBS = asdict(TrainConfig(epochs=1, num_train_images=500))


def value_of(output):
    """What a handler gives a component, be it a bare value or an update."""
    if isinstance(output, gr.components.Component):
        return output._constructor_args[0]["value"]
    return output


@pytest.fixture
def finished(finished_run, monkeypatch):
    """The finished run of the visitor “somebody”, in reach of the handlers."""
    monkeypatch.setenv(RUNS_DIR_VARIABLE, str(finished_run.folder.parent))
    return finished_run


# ---- Draw tab ----


def test_a_drawn_seven_is_read_as_seven(runs_folder):
    bars, seen, conv1, conv2, note = draw_tab.on_draw(
        "cpu", data_url(draw_strokes(SEVEN)), "lenet", "alice"
    )
    assert "<b>7</b>" in bars
    # 28 pixels, enlarged by a whole number.
    assert seen.width == seen.height
    assert seen.width % 28 == 0
    assert conv1.width > conv2.width > 0
    assert "ms" in note


def test_the_pads_own_transparent_canvas_is_read_too(runs_folder):
    layer = draw_strokes(SEVEN, mode="RGB", paper="white", colour="black")
    bars = draw_tab.on_draw("cpu", data_url(layer), "lenet", "alice")[0]
    assert "<b>7</b>" in bars


@pytest.mark.parametrize("drawing", [None, ""])
def test_an_empty_pad_is_not_classified(runs_folder, drawing):
    outputs = draw_tab.on_draw("cpu", drawing, "lenet", "alice")
    assert "Draw a digit" in outputs[0]
    assert outputs[1:] == [None, None, None, ""]


def test_a_blank_canvas_is_not_classified(runs_folder):
    blank = data_url(Image.new("L", (280, 280), 255))
    assert "Draw a digit" in draw_tab.on_draw("cpu", blank, "lenet", "alice")[0]


@pytest.mark.parametrize(
    "drawing",
    [
        "garbage",
        "data:image/png;base64,",
        "data:image/png;base64,!!!!",
        "data:image/png;base64,AAAA",
        "data:text/html;base64,AAAA",
        data_url(Image.new("L", (10, 10), 0)),
        data_url(draw_strokes(SEVEN))[:-400],
        "data:image/png;base64," + "A" * 3_000_000,
        "data:image/png;base64,é",
        3,
        ["data:image/png;base64,"],
        {"image": "x"},
    ],
    ids=lambda drawing: str(drawing)[:40],
)
def test_what_the_pad_never_sends_is_refused_with_a_sentence(runs_folder, drawing):
    with pytest.raises(gr.Error) as refused:
        draw_tab.on_draw("cpu", drawing, "lenet", "alice")
    assert "clear the pad and draw again" in refused.value.message


def test_the_pad_is_decoded_to_the_same_picture():
    picture = draw_strokes(SEVEN)
    np.testing.assert_array_equal(np.asarray(decode_drawing(data_url(picture))), picture)


def test_an_unknown_model_is_refused_with_the_list(runs_folder):
    with pytest.raises(gr.Error) as refused:
        draw_tab.on_draw("cpu", data_url(draw_strokes(SEVEN)), "resnet", "alice")
    assert "resnet" in refused.value.message
    assert "lenet" in refused.value.message


def test_no_photo_clears_the_answer(runs_folder):
    picture, _, crops = draw_tab.on_photo("cpu", None, "lenet", "alice")
    assert value_of(picture) is None
    assert value_of(crops) == []


def test_a_photo_is_boxed_and_read(runs_folder, tmp_path, mnist):
    digits, labels = mnist.test.images[:4].numpy(), mnist.test.labels[:4].tolist()
    positions = [(40 + 110 * i, 60) for i in range(4)]
    photograph(digits, positions, 500, 200).save(tmp_path / "photo.jpg", quality=95)
    picture, sentence, crops = draw_tab.on_photo(
        "cpu", str(tmp_path / "photo.jpg"), "lenet", "alice"
    )
    image, boxes = value_of(picture)
    number = "".join(str(label) for label in labels)
    assert f"### {number}\n" in sentence
    assert "4 digits" in sentence
    assert image.size == (500, 200)
    assert [text for _, text in boxes] == [f"{i + 1}: {labels[i]}" for i in range(4)]
    for ((left, top, right, bottom), _), (x, y) in zip(boxes, positions, strict=True):
        assert x - 3 <= left < right <= x + 83
        assert y - 3 <= top < bottom <= y + 83
    assert [caption[0] for _, caption in value_of(crops)] == list(number)


def test_one_digit_is_not_called_digits(runs_folder, tmp_path, mnist):
    redraw(mnist.test.images[0].numpy()).save(tmp_path / "photo.png")
    sentence = draw_tab.on_photo("cpu", str(tmp_path / "photo.png"), "lenet", "alice")[1]
    assert "1 digit," in sentence


def test_a_photo_without_ink_says_so(runs_folder, tmp_path):
    Image.new("L", (200, 100), 200).save(tmp_path / "photo.png")
    picture, sentence, crops = draw_tab.on_photo(
        "cpu", str(tmp_path / "photo.png"), "lenet", "alice"
    )
    assert "No ink was found" in sentence
    assert value_of(picture)[1] == []
    assert value_of(crops) == []


def test_a_pdf_is_refused_with_a_sentence(runs_folder, tmp_path):
    (tmp_path / "photo.png").write_bytes(b"%PDF-1.7\n%%EOF\n")
    with pytest.raises(gr.Error) as refused:
        draw_tab.on_photo("cpu", str(tmp_path / "photo.png"), "lenet", "alice")
    assert "PNG, JPEG" in refused.value.message


def test_the_models_to_choose_from_are_the_shipped_one_and_ones_own(finished):
    own = [name for _, name in list_digit_models("somebody")]
    assert own == ["lenet", finished.run_id]
    assert [name for _, name in list_digit_models("alice")] == ["lenet"]


def test_ones_own_model_reads_a_drawing_and_anothers_is_unknown(finished):
    drawing = data_url(draw_strokes(SEVEN))
    assert "<b>" in draw_tab.on_draw("cpu", drawing, finished.run_id, "somebody")[0]
    with pytest.raises(gr.Error):
        draw_tab.on_draw("cpu", drawing, finished.run_id, "alice")
    with pytest.raises(InputError):
        load_digit_model(finished.run_id, "alice", "cpu")


def test_a_chosen_model_that_still_exists_stays_chosen(finished):
    assert draw_tab.on_visit("somebody", finished.run_id).value == finished.run_id
    assert draw_tab.on_visit("alice", finished.run_id).value == "lenet"


# ---- Train tab ----


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_fills_every_knob_in_the_order_of_the_config(name):
    note, *values = on_preset(name)
    assert note == PRESET_NOTES[name]
    names = [field.name for field in fields(TrainConfig)]
    assert TrainConfig(**dict(zip(names, values, strict=True))) == PRESETS[name]


@pytest.mark.parametrize(
    ("knob", "value"),
    [("epochs", -1), ("learning_rate", "abc"), ("learning_rate", float("nan")), ("epochs", None)],
)
def test_start_refuses_a_bad_knob_with_a_sentence(queue, knob, value):
    knobs = KNOBS | {knob: value}
    with pytest.raises(gr.Error) as refused:
        train_tab.on_start(train_tab.build_panel(queue), "cpu", "alice", *knobs.values())
    assert knob in refused.value.message
    assert "accepted" in refused.value.message


def test_start_says_when_the_runs_folder_cannot_be_written(queue, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    with monkeypatch.context() as patch:
        patch.setenv(RUNS_DIR_VARIABLE, str(tmp_path / "file"))
        with pytest.raises(gr.Error) as refused:
            train_tab.on_start(train_tab.build_panel(queue), "cpu", "alice", *KNOBS.values())
    assert RUNS_DIR_VARIABLE in refused.value.message


def test_a_started_run_is_shown_refreshed_and_stopped_by_its_visitor_only(queue):
    panel = train_tab.build_panel(queue)
    knobs = KNOBS | {"epochs": 100, "batch_size": 8}
    run_id, seen, timer, done, status, *_ = train_tab.on_start(
        panel, "cpu", "alice", *knobs.values()
    )
    assert seen[0] in ("queued", "running")
    assert timer.active
    assert done == ""
    assert "run-status" in status

    for handler in (panel.on_pause, panel.on_stop, panel.on_resume):
        with pytest.raises(gr.Error) as refused:
            handler(run_id, "bob")
        assert "You have no run" in refused.value.message

    wait_until(lambda: read_run(run_id).events, "the first event")
    refreshed = panel.on_refresh(run_id, "alice", seen)
    assert len(refreshed) == 10
    assert refreshed[0] != seen
    # Another visitor sees nothing of it.
    assert "Nothing trained yet" in panel.on_refresh(run_id, "bob", None)[3]
    assert panel.on_return(run_id, "bob")[0] == ""
    # A page opened anew finds it, with its id or without.
    assert panel.on_return(run_id, "alice")[0] == run_id
    assert panel.on_return("", "alice")[0] == run_id

    panel.on_stop(run_id, "alice")
    queue.wait(run_id, PATIENCE_S)
    _, timer, done, status, *_ = panel.on_refresh(run_id, "alice", refreshed[0])
    assert not timer.active
    assert done == run_id
    assert "Stopped" in status


def test_nothing_is_sent_when_nothing_has_changed(queue, finished):
    panel = train_tab.build_panel(queue)
    seen = panel.on_refresh(finished.run_id, "somebody", None)[0]
    again = panel.on_refresh(finished.run_id, "somebody", seen)
    assert again == [gr.skip()] * 10


def test_a_new_visitor_gets_a_secret_and_a_known_one_keeps_theirs():
    first, second = on_arrive(""), on_arrive("")
    assert first != second
    assert len(first) >= 24
    assert on_arrive(first) == first


@pytest.mark.parametrize("token", [None, "mine", "session-1", "x" * 500, "\ud800" * 32, [], 3])
def test_what_is_no_token_is_replaced_by_one(token):
    assert on_arrive(token) != token
    assert len(on_arrive(token)) == 32


def test_a_visitor_without_a_token_sees_no_run(finished):
    assert train_tab.on_finish("cpu", finished.run_id, "")[0].visible is False


# ---- what comes out of a run ----


def test_a_finished_run_shows_figures_matrix_mistakes_filters_and_downloads(finished):
    outputs = train_tab.on_finish("cpu", finished.run_id, "somebody")
    group, figures, matrix, _, _, mistakes, filters, *downloads = outputs
    assert group.visible
    assert f"{finished.result['test_accuracy']:.2%}" in figures
    assert matrix.count("data-cell=") == 100
    labels = load_mnist().test.labels.numpy()
    read = finished.test_probs.numpy().argmax(1)
    sevens = int(((labels == 7) & (read == 7)).sum())
    assert f'aria-label="{sevens} images of 7 read as 7"' in matrix
    assert 0 < len(value_of(mistakes)) <= 12
    shares = [float(caption.split("(")[1].rstrip("%)")) for _, caption in value_of(mistakes)]
    assert shares == sorted(shares, reverse=True)
    assert filters.width > 0
    assert [Path(path).suffix for path in downloads] == [".zip", ".csv", ".zip", ".py"]
    assert all(Path(path).stat().st_size > 0 for path in downloads)


def test_nothing_is_shown_of_an_unfinished_or_anothers_run(finished):
    assert not train_tab.on_finish("cpu", "", "somebody")[0].visible
    assert not train_tab.on_finish("cpu", finished.run_id, "alice")[0].visible


@pytest.mark.parametrize(("true", "read"), [(7, 7), (4, 9), (0, 1)])
def test_a_cell_of_the_matrix_opens_the_images_behind_it(finished, true, read):
    event = gr.EventData(None, {"cell": 10 * true + read})
    heading, gallery = results_view.on_cell(finished.run_id, "somebody", event)
    labels = load_mnist().test.labels.numpy()
    predicted = finished.test_probs.numpy().argmax(1)
    count = int(((labels == true) & (predicted == read)).sum())
    assert heading.startswith(f"**{count:,}** images of **{true}** read as **{read}**")
    assert len(value_of(gallery)) == min(count, 40)


def test_anothers_cells_stay_closed(finished):
    with pytest.raises(gr.Error):
        results_view.on_cell(finished.run_id, "alice", gr.EventData(None, {"cell": 0}))


def test_runs_are_compared_side_by_side(finished):
    chosen = compare_view.on_open("somebody")
    assert chosen.value == [finished.run_id]
    assert compare_view.on_open("alice").choices == []
    plot, table = compare_view.on_choose([finished.run_id], "somebody")
    table = value_of(table)
    column = table.columns[1]
    assert table.loc["test accuracy", column] == f"{finished.result['test_accuracy']:.2%}"
    for name, value in asdict(finished.config).items():
        assert table.loc[name, column] == str(value)
    assert len(value_of(plot)) == finished.config.epochs


def test_comparing_nothing_is_an_empty_table(runs_folder):
    _, table = compare_view.on_choose([], "alice")
    assert len(value_of(table)) == 0


def test_anothers_run_cannot_be_compared(finished):
    with pytest.raises(gr.Error):
        compare_view.on_choose([finished.run_id], "alice")


def test_two_runs_of_the_same_second_are_two_columns(runs_folder):
    made = create_run(TrainConfig(), "alice", "cpu")
    write_status(made.folder, "done")
    twins = []
    for suffix in ("00000000", "11111111"):
        twin = replace(made, run_id=f"20261123-101112-{suffix}")
        (runs_folder / twin.run_id).mkdir()
        for name in ("run.json", "status.json"):
            content = (made.folder / name).read_text()
            assert json.loads(content)
            (runs_folder / twin.run_id / name).write_text(content)
        twins.append(twin.run_id)
    _, table = compare_view.on_choose(twins, "alice")
    # The names of the settings, and a column a run.
    assert value_of(table).shape[1] == 3


# ---- errors ----


@pytest.mark.parametrize("error", [InputError("Send a picture."), ArtifactError("It is gone.")])
def test_our_own_errors_become_messages(error):
    @shows_errors
    def handler():
        raise error

    @shows_errors
    def stream():
        yield 1
        raise error

    with pytest.raises(gr.Error) as shown:
        handler()
    assert shown.value.message == str(error)
    assert not shown.value.print_exception
    outputs = stream()
    assert next(outputs) == 1
    with pytest.raises(gr.Error) as shown:
        next(outputs)
    assert shown.value.message == str(error)


def test_other_errors_are_not_mistaken_for_messages():
    @shows_errors
    def handler():
        raise KeyError("a bug")

    with pytest.raises(KeyError):
        handler()
