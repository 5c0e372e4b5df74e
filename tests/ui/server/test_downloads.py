import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from foundry.ui.server.downloads import KeptFiles


def write(folder):
    (folder / "a.txt").write_text("a")
    return [folder / "a.txt"]


def test_files_are_written_once_however_many_ask_at_once():
    files, written, go = KeptFiles(3), [], threading.Barrier(4)

    def write_slowly(folder):
        written.append(folder)
        # Time for the others to come.
        time.sleep(0.1)
        return write(folder)

    def ask(_):
        go.wait()
        return files.get("run", write_slowly)

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(ask, range(4)))
    assert len(written) == 1
    assert answers == [[str(written[0] / "a.txt")]] * 4


def test_what_was_made_of_something_deleted_goes_with_it():
    files = KeptFiles(3)
    kept, gone = files.get(("a", 1), write), files.get(("b", 1), write)
    files.drop(lambda key: key[0] == "b")
    assert Path(kept[0]).exists() and not Path(gone[0]).parent.exists()
    assert Path(files.get(("b", 1), write)[0]).exists()


def test_the_files_nobody_asked_for_longest_go():
    files = KeptFiles(2)
    first, second = files.get("first", write), files.get("second", write)
    assert files.get("first", write) == first
    third = files.get("third", write)
    assert [Path(path).exists() for (path,) in (first, second, third)] == [True, False, True]
    assert not Path(second[0]).parent.exists()
