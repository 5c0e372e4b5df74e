"""The sentence that a program gets whose call is refused."""

import pytest
from gradio_client.exceptions import AppError


def refusal(call, *args, **kwargs):
    """Make a call that has to fail and return the sentence the caller gets to read."""
    with pytest.raises(AppError) as refused:
        call(*args, **kwargs)
    message = str(refused.value)
    assert "Traceback" not in message
    assert "enable verbose" not in message
    assert "show_error" not in message  # Gradio's words for an error nobody foresaw
    return message
