import threading
from pathlib import Path

from foundry.ui.downloads import KeptFiles


def write(folder):
    (folder / "a.txt").write_text("a")
    return [folder / "a.txt"]


def test_files_are_written_once_however_many_ask_at_once():
    files, written, go = KeptFiles(3), [], threading.Barrier(4)

    def write_slowly(folder):
        written.append(folder)
        return write(folder)

    def ask():
        go.wait()
        answers.append(files.get("run", write_slowly))

    answers = []
    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(written) == 1
    assert answers == [[str(written[0] / "a.txt")]] * 4


def test_the_files_nobody_asked_for_longest_go():
    files = KeptFiles(2)
    first, second = files.get("first", write), files.get("second", write)
    assert files.get("first", write) == first
    third = files.get("third", write)
    assert [Path(path).exists() for (path,) in (first, second, third)] == [True, False, True]
    assert not Path(second[0]).parent.exists()
