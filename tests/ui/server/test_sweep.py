from waiting import wait_until

from foundry.ui.server.sweep import sweep_by_the_clock


def test_steps_are_taken_again_and_again_also_beside_one_that_fails():
    taken = []

    def fail():
        raise OSError("no such disk")

    ended = sweep_by_the_clock([fail, lambda: taken.append(1)], every_s=0.01)
    wait_until(lambda: len(taken) >= 3, "a third time")
    ended.set()
