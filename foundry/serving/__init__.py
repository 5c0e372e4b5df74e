"""The app on several machines, with Ray Serve: `serve run foundry.serving:app`.

`deployment` describes the page and its models, `replica` is what one model runs in. Who asks them
is `foundry.models.remote`, behind the same functions as always.
"""

from typing import Any


def __getattr__(name: str) -> Any:
    """Build the app when `serve` asks for it: a replica imports this package too."""
    if name == "app":
        from foundry.serving.deployment import app

        return app
    raise AttributeError(name)
