import errno
import threading

import pytest
from fake_hub import serve_fake_hub
from huggingface_hub import constants
from waiting import call_at_once, wait_until

from foundry.errors import ArtifactError, InputError
from foundry.models import hub as hub_module
from foundry.models import load_pretrained
from foundry.models.hub import find_downloaded, resolve_model

REPO = "somebody/tiny-bert"


@pytest.fixture
def hub(tmp_path, tiny_bert_dir, monkeypatch):
    # The server's own, which the hub must never see.
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    with serve_fake_hub(str(tmp_path / "cache")) as hub:
        files = {file.name: file.read_bytes() for file in tiny_bert_dir.iterdir()}
        hub.repositories[REPO] = files | {
            "pytorch_model.bin": b"a pickle",
            "onnx/model.safetensors": b"for another framework",
            "README.md": b"# A card",
        }
        yield hub


def test_a_model_is_downloaded_with_progress_and_without_pickle(hub):
    steps = []
    folder = resolve_model(REPO, lambda share, sentence: steps.append((share, sentence)))
    names = {path.name for path in folder.iterdir()}
    assert names == {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"}
    for name in names:
        assert (folder / name).read_bytes() == hub.repositories[REPO][name]
    shares = [share for share, _ in steps]
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)
    assert all(sentence.startswith(f"Downloading {REPO}: ") for _, sentence in steps)


def test_nobodys_token_is_ever_sent(hub):
    resolve_model(REPO)
    with pytest.raises(InputError):
        resolve_model("nobody/nothing")
    assert len(hub.authorizations) == len(hub.requests) > 0
    assert set(hub.authorizations) == {None}


def test_a_second_look_asks_the_network_nothing(hub):
    folder = resolve_model(REPO)
    num_requests = len(hub.requests)
    assert resolve_model(REPO) == find_downloaded(REPO) == folder
    assert len(hub.requests) == num_requests


def test_what_was_downloaded_works_offline(hub, monkeypatch):
    resolve_model(REPO)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert load_pretrained(REPO, "sentiment").model.config.num_labels == 2


def test_offline_is_a_sentence(hub, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(ArtifactError, match=r"not on this machine.*Without a network"):
        resolve_model(REPO)
    assert hub.requests == []


def test_a_hub_that_is_down_is_a_sentence(hub, monkeypatch):
    # A port that nothing listens on.
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(ArtifactError, match="could not be downloaded"):
        resolve_model(REPO)


def test_a_full_disk_is_a_sentence(hub, monkeypatch):
    find = hub_module.snapshot_download

    def download(*args, local_files_only=False, **kwargs):
        if local_files_only:
            return find(*args, local_files_only=True, **kwargs)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(hub_module, "snapshot_download", download)
    with pytest.raises(ArtifactError, match=f"no room left .* “{REPO}”; make some in .*cache"):
        resolve_model(REPO)


@pytest.mark.parametrize("garbage", [b"", b"<html>", b"[]", b'"x"', b'{"siblings": 7}', b"null"])
def test_garbage_for_an_answer_is_a_sentence(hub, garbage):
    hub.garbage = garbage
    with pytest.raises((ArtifactError, InputError)) as refused:
        resolve_model(REPO)
    assert REPO in str(refused.value)


def test_a_repository_without_safetensors_is_refused_before_anything_is_downloaded(hub):
    del hub.repositories[REPO]["model.safetensors"]
    with pytest.raises(InputError, match="no safetensors file"):
        resolve_model(REPO)
    assert not any("/resolve/" in request for request in hub.requests)


def test_a_repository_without_a_config_is_refused(hub):
    del hub.repositories[REPO]["config.json"]
    with pytest.raises(InputError, match=r"no config\.json"):
        resolve_model(REPO)


def test_a_repository_that_is_too_large_is_refused(hub, monkeypatch):
    monkeypatch.setattr(hub_module, "MAX_DOWNLOAD_BYTES", 10)
    with pytest.raises(InputError, match="GB"):
        resolve_model(REPO)
    assert not any("/resolve/" in request for request in hub.requests)


def test_an_unknown_repository_is_a_sentence(hub):
    with pytest.raises(InputError, match=r"The Hub has no model “nobody/nothing”"):
        resolve_model("nobody/nothing")


@pytest.mark.parametrize(
    "name",
    ["a/b/c", "/no/such/folder", "../..//x", "a b", "<b>", "x" * 5000, "a\x00b", "--", "", "ünï"],
)
def test_what_is_neither_folder_nor_id_is_a_sentence(hub, name):
    with pytest.raises(
        InputError, match="neither a folder on this machine nor a Hub id"
    ) as refused:
        resolve_model(name)
    assert len(str(refused.value)) < 300
    assert hub.requests == []


def test_an_interrupted_download_is_taken_up_again(hub):
    whole = hub.repositories[REPO].pop("tokenizer.json")
    hub.repositories[REPO]["tokenizer.json"] = whole
    folder = resolve_model(REPO)
    (folder / "tokenizer.json").unlink()
    assert find_downloaded(REPO) is None
    assert (resolve_model(REPO) / "tokenizer.json").read_bytes() == whole


@pytest.mark.parametrize("missing", ["config.json", "model.safetensors"])
def test_a_local_folder_without_its_files_is_refused(tiny_bert_dir, tmp_path, missing):
    for file in tiny_bert_dir.iterdir():
        if file.name != missing:
            (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "pytorch_model.bin").write_bytes(b"a pickle")
    what = {"config.json": "config.json", "model.safetensors": "safetensors"}[missing]
    with pytest.raises(InputError, match=f"has no {what}"):
        resolve_model(str(tmp_path))


def test_a_slow_download_makes_nobody_wait_for_another_model(hub):
    hub.slow = REPO
    hub.repositories["somebody/other"] = hub.repositories[REPO]
    hub.gate.clear()
    slow = threading.Thread(target=load_pretrained, args=(REPO, "sentiment"))
    slow.start()
    wait_until(lambda: any(REPO in request for request in hub.requests), "the download")
    assert load_pretrained("somebody/other", "sentiment").name == "somebody/other"
    assert slow.is_alive()
    hub.gate.set()
    slow.join(60)
    assert not slow.is_alive()


def test_many_visitors_at_once_download_and_load_once(hub):
    loaded = call_at_once(*[lambda: load_pretrained(REPO, "sentiment")] * 8)
    assert len({id(pretrained.model) for pretrained in loaded}) == 1
    assert hub.downloads("model.safetensors") == 1


@pytest.fixture
def closed_to_others(monkeypatch):
    monkeypatch.setenv("FOUNDRY_ALLOW_HUB", "0")


def test_where_others_models_are_off_no_visitor_names_any(hub, closed_to_others, tiny_bert_dir):
    for name in (REPO, str(tiny_bert_dir), "/etc", "../weights"):
        with pytest.raises(InputError, match=r"not among the models on offer.*choose one"):
            resolve_model(name)
    assert hub.requests == []


def test_where_others_models_are_off_those_on_offer_work_once_they_are_here(hub, monkeypatch):
    offered = hub_module.OFFERED["sentiment"][0]
    hub.repositories[offered] = hub.repositories[REPO]
    monkeypatch.setenv("FOUNDRY_ALLOW_HUB", "0")
    assert hub_module.list_offered("sentiment") == ()
    with pytest.raises(InputError, match="not among the models on offer"):
        resolve_model(offered)
    monkeypatch.setenv("FOUNDRY_ALLOW_HUB", "1")
    folder = resolve_model(offered)
    monkeypatch.setenv("FOUNDRY_ALLOW_HUB", "0")
    assert hub_module.list_offered("sentiment") == (offered,)
    assert resolve_model(offered) == folder


@pytest.mark.parametrize(("space", "allowed"), [("somebody/foundry", False), ("", True)])
def test_on_a_space_others_models_are_off_unless_switched_on(monkeypatch, space, allowed):
    monkeypatch.delenv("FOUNDRY_ALLOW_HUB", raising=False)
    monkeypatch.setenv("SPACE_ID", space)
    assert hub_module.allows_any_model() is allowed
    monkeypatch.setenv("FOUNDRY_ALLOW_HUB", "1")
    assert hub_module.allows_any_model()
