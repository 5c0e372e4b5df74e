"""The page. Nothing outside this package and `app.py` knows Gradio.

Begin in `app.py`: `build_app()` assembles the tabs, `launch()` or `mount()` serves them. Every tab
has a folder, in which `tab` holds components and wiring, `view` what it shows, `plots` what it
draws and `api` its endpoints. `components/` are shared by tabs, `page/` stands around them,
`server/` protects and paces what visitors ask for.
"""

from foundry.ui.app import build_app, launch, mount

__all__ = [
    "build_app",
    "launch",
    "mount",
]
