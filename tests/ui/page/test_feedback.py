import gradio as gr
import pytest

from foundry.errors import ArtifactError, InputError
from foundry.ui.page.feedback import shows_errors


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
