"""A Ray cluster of three nodes on this machine, of which tests may lose one."""


def start_cluster(num_head_cpus, num_cpus):
    """Start a head and two more nodes, without what these tests have no use for.

    That is what only people would look at, what would start more machines, and the processes that
    Ray keeps ready: they are for work without an environment of its own, and ours has one.

    Args:
        num_head_cpus: Cores of the first node; with 0 nothing runs there.
        num_cpus: Cores of each of the others.
    """
    from ray.cluster_utils import Cluster

    unseen = {"include_log_monitor": False}
    cluster = Cluster(
        initialize_head=True,
        head_node_args={
            "num_cpus": num_head_cpus,
            "include_dashboard": False,
            "no_monitor": True,
            "_system_config": {"prestart_worker_first_driver": False},
            **unseen,
        },
    )
    for _ in range(2):
        cluster.add_node(num_cpus=num_cpus, **unseen)
    cluster.wait_for_nodes()
    return cluster
