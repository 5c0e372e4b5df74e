"""Start Foundry: `python app.py`, then open the address it prints."""

import argparse
import gc
import importlib.util
import os
import sys

from foundry.runs.cleaning import make_downloads_folder

if __name__ == "__main__":
    # What is imported stays, with the little garbage among it. Looking through a million objects
    # for that, again and again, would take an eighth of the start.
    gc.disable()
    # Read when Gradio is imported.
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    # Ray brings pyarrow along, and pandas would load it: 45 MB that no tab uses.
    sys.modules.setdefault("pyarrow", None)  # type: ignore[arg-type]
    # Servers that share a folder of uploads delete one another's when they end.
    uploads = make_downloads_folder()
    os.environ.setdefault("GRADIO_TEMP_DIR", uploads.name)

from foundry.errors import in_a_sentence
from foundry.ui import build_app, launch


def main() -> None:
    """Parse the options and serve the page until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", help="address to listen on (default: this machine only)")
    parser.add_argument("--port", type=int, help="port (default: the first free one from 7860)")
    parser.add_argument("--share", action="store_true", help="make a public gradio.live link")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda (default: auto)")
    parser.add_argument("--mcp", action="store_true", help="offer the endpoints as MCP tools")
    args = parser.parse_args()
    if args.mcp and not importlib.util.find_spec("mcp"):
        parser.error('--mcp needs an extra; install it with: pip install "gradio[mcp]"')
    address = {"server_name": args.host, "server_port": args.port}
    with in_a_sentence(parser):
        app = build_app(args.device)
        gc.freeze()
        gc.enable()
        try:
            launch(app, **address, share=args.share, mcp_server=args.mcp)
        except OSError as error:
            # A port in use, or an address that is not this machine's.
            parser.exit(2, f"{parser.prog}: {error}\n")


if __name__ == "__main__":
    main()
