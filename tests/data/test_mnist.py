import gzip
import shutil

import numpy as np
import pytest
import torch
from torchvision.datasets.mnist import read_sn3_pascalvincent_tensor

from foundry.data import DATA_DIR, load_mnist, normalize
from foundry.errors import ArtifactError

NAMES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)


@pytest.fixture(scope="session")
def published(tmp_path_factory):
    """The four files as torchvision reads them: an independent reader."""
    folder = tmp_path_factory.mktemp("idx")
    tensors = {}
    for name in NAMES:
        (folder / name).write_bytes(gzip.decompress((DATA_DIR / f"{name}.gz").read_bytes()))
        tensors[name] = read_sn3_pascalvincent_tensor(str(folder / name))
    return tensors


@pytest.fixture
def copied_data(tmp_path):
    for name in NAMES:
        shutil.copy(DATA_DIR / f"{name}.gz", tmp_path)
    yield tmp_path
    # The cache holds one data set; leave it to the real one.
    load_mnist.cache_clear()


def rows(split):
    """One hashable value for each (image, label) pair of a split."""
    pixels = split.images.numpy().reshape(len(split), -1)
    labelled = np.concatenate([pixels, split.labels.numpy().astype(np.uint8)[:, None]], axis=1)
    return [row.tobytes() for row in labelled]


def test_the_splits_have_the_sizes_the_page_promises(mnist):
    # The specification: train 55,000 / validation 5,000 / test 10,000.
    assert [len(mnist.train), len(mnist.val), len(mnist.test)] == [55_000, 5_000, 10_000]


def test_images_and_labels_have_the_documented_types(mnist):
    for split in (mnist.train, mnist.val, mnist.test):
        assert split.images.dtype == torch.uint8
        assert split.images.shape == (len(split), 28, 28)
        assert split.labels.dtype == torch.int64
        assert split.labels.shape == (len(split),)


def test_the_test_split_is_the_published_one_in_its_order(mnist, published):
    assert torch.equal(mnist.test.images, published["t10k-images-idx3-ubyte"])
    assert torch.equal(mnist.test.labels, published["t10k-labels-idx1-ubyte"].long())


def test_train_and_validation_are_the_published_training_pairs_each_used_once(mnist, published):
    pixels = published["train-images-idx3-ubyte"].numpy().reshape(60_000, -1)
    labels = published["train-labels-idx1-ubyte"].numpy().astype(np.uint8)[:, None]
    expected = sorted(row.tobytes() for row in np.concatenate([pixels, labels], axis=1))
    # MNIST's 60,000 training images are all different, so this is disjointness too.
    assert len(set(expected)) == 60_000
    assert sorted(rows(mnist.train) + rows(mnist.val)) == expected


def test_validation_holds_each_digit_in_its_share(mnist, published):
    whole = np.bincount(published["train-labels-idx1-ubyte"].numpy(), minlength=10)
    held_out = np.bincount(mnist.val.labels.numpy(), minlength=10)
    # One in twelve of each digit; rounding moves a digit by less than one image.
    assert np.abs(held_out - whole / 12).max() < 1


@pytest.mark.parametrize("num_images", [500, 5_000])
def test_the_first_images_are_a_fair_sample(mnist, num_images):
    head = mnist.train.head(num_images)
    assert len(head) == len(head.images) == num_images
    share = np.bincount(head.labels.numpy(), minlength=10) / num_images
    whole = np.bincount(mnist.train.labels.numpy(), minlength=10) / 55_000
    # Five standard errors of a share near 0.1.
    assert np.abs(share - whole).max() < 5 * np.sqrt(0.1 * 0.9 / num_images)


def test_a_second_call_returns_the_same_object(mnist):
    assert load_mnist() is mnist


def test_normalized_training_pixels_have_zero_mean_and_unit_variance(mnist):
    images = normalize(mnist.train.images[:20_000])
    assert images.shape == (20_000, 1, 28, 28)
    assert images.dtype == torch.float32
    assert images.mean().item() == pytest.approx(0, abs=0.02)
    assert images.std().item() == pytest.approx(1, abs=0.02)


def test_normalize_matches_torchvision(mnist):
    from torchvision import transforms

    # The customary MNIST constants.
    chain = transforms.Compose([transforms.ToTensor(), transforms.Normalize(0.1307, 0.3081)])
    image = mnist.test.images[0]
    torch.testing.assert_close(normalize(image[None])[0], chain(image.numpy()))


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_file_is_named(copied_data, name):
    (copied_data / f"{name}.gz").unlink()
    with pytest.raises(ArtifactError, match=name):
        load_mnist(copied_data)


@pytest.mark.parametrize("name", NAMES)
def test_a_truncated_file_is_named(copied_data, name):
    path = copied_data / f"{name}.gz"
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(ArtifactError, match=name):
        load_mnist(copied_data)


@pytest.mark.parametrize("name", NAMES)
def test_a_file_whose_content_differs_by_one_byte_is_named(copied_data, name):
    path = copied_data / f"{name}.gz"
    raw = bytearray(gzip.decompress(path.read_bytes()))
    raw[-1] ^= 1
    path.write_bytes(gzip.compress(bytes(raw), compresslevel=1))
    with pytest.raises(ArtifactError, match=f"{name}.*SHA-256"):
        load_mnist(copied_data)


@pytest.mark.parametrize("content", [b"", b"not gzip at all", b"\x1f\x8b garbage after the magic"])
def test_a_file_that_is_not_gzip_is_named(copied_data, content):
    path = copied_data / "train-labels-idx1-ubyte.gz"
    path.write_bytes(content)
    with pytest.raises(ArtifactError, match="train-labels-idx1-ubyte"):
        load_mnist(copied_data)


def test_a_byte_flipped_in_the_compressed_stream_is_named(copied_data):
    path = copied_data / "t10k-labels-idx1-ubyte.gz"
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 0xFF
    path.write_bytes(bytes(raw))
    with pytest.raises(ArtifactError, match="t10k-labels-idx1-ubyte"):
        load_mnist(copied_data)
