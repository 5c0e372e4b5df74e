"""ZIP files whose sizes are lies."""

import random
import tracemalloc
import zipfile

import pytest

from foundry.data.archives import read_entry
from foundry.errors import InputError


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
def test_what_is_packed_beyond_the_size_that_is_named_takes_no_memory(tmp_path, method):
    content = b"".join(bytes([value]) * 3 for value in random.Random(0).randbytes(800_000))
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", method, compresslevel=1) as archive:
        archive.writestr("a.npy", content)
    path.write_bytes(path.read_bytes().replace(len(content).to_bytes(4, "little"), b"d\0\0\0"))
    told, most = "", 0
    with zipfile.ZipFile(path) as archive:
        tracemalloc.start()
        try:
            read_entry(archive, archive.infolist()[0])
        except InputError as error:
            told, most = str(error), tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert told.startswith("“a.npy” is damaged")
    assert 0 < most < len(content)
