"""Files that visitors download: written when they are first asked for, the newest kept."""

import shutil
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from gradio.processing_utils import hash_file
from gradio.utils import get_upload_folder

from foundry.runs.cleaning import make_downloads_folder


class KeptFiles:
    """Files of one kind; what is written goes with this process, and the oldest before."""

    def __init__(self, num_kept: int) -> None:
        """Prepare.

        Args:
            num_kept: Sets of files that are kept. Gradio copies each as it is sent; these are for
                whoever asks again.
        """
        self._num_kept = num_kept
        self._lock = threading.Lock()
        self._paths: OrderedDict[Hashable, list[str]] = OrderedDict()
        self._root: tempfile.TemporaryDirectory[str] | None = None

    def get(self, key: Hashable, write: Callable[[Path], Sequence[Path]]) -> list[str]:
        """Return the paths of a set of files.

        Args:
            key: All that they depend on.
            write: Writes them into a folder of their own, if they are not there, and names them.
        """
        # Two pages of one visitor ask at the same moment.
        with self._lock:
            if key not in self._paths:
                self._root = self._root or make_downloads_folder()
                folder = Path(tempfile.mkdtemp(dir=self._root.name))
                self._paths[key] = [str(path) for path in write(folder)]
            self._paths.move_to_end(key)
            if len(self._paths) > self._num_kept:
                _, old = self._paths.popitem(last=False)
                shutil.rmtree(Path(old[0]).parent, ignore_errors=True)
            return self._paths[key]

    def drop(self, is_gone: Callable[[Any], bool]) -> None:
        """Remove sets of files before their time, and the copies that Gradio has sent of them.

        Args:
            is_gone: Given a key, tells whether what it depends on was deleted.
        """
        with self._lock:
            for key in [key for key in self._paths if is_gone(key)]:
                paths = self._paths.pop(key)
                for path in paths:
                    with suppress(FileNotFoundError):
                        shutil.rmtree(Path(get_upload_folder()) / hash_file(path))
                shutil.rmtree(Path(paths[0]).parent, ignore_errors=True)
