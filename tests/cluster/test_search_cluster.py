"""A search on three nodes, one of which is killed while it trains."""

import pytest
from nodes import start_cluster

from foundry.search import SearchConfig, search
from foundry.search.runs import list_trials, read_search_events

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

CONFIG = SearchConfig(
    num_train_images=4000, batch_size=(64, 128), epochs=3, num_trials=4, minutes=0
)


@pytest.fixture
def nodes():
    # Trials run on the other two, so that the one that is lost has one.
    cluster = start_cluster(num_head_cpus=0, num_cpus=1)
    yield cluster, list(cluster.worker_nodes)
    cluster.shutdown()


def test_a_node_killed_during_a_search_leaves_a_complete_table(nodes, tmp_path):
    cluster, workers = nodes
    for event in search(CONFIG, tmp_path, cluster.address):
        trials = list_trials(read_search_events(tmp_path))
        both_train = sum(one.last.val_accuracy is not None for one in trials) >= 2
        if len(workers) == 2 and event.state == "running" and both_train:
            cluster.remove_node(workers.pop(), allow_graceful=False)
    trials = list_trials(read_search_events(tmp_path))
    assert len(trials) == CONFIG.num_trials
    assert len(workers) == 1
    assert {one.last.state for one in trials} <= {"done", "stopped early"}
    assert "done" in {one.last.state for one in trials}
    assert all(one.accuracy is not None for one in trials)
