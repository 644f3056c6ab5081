import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from mds_lightning.data.parallel_map import map_ahead, map_in_threads


def test_results_keep_the_order_of_the_items():
    def late_if_early(item):
        time.sleep(0.002 * (8 - item))
        return item * item

    assert list(map_in_threads(late_if_early, range(8), workers=4)) == [item * item for item in range(8)]


def test_few_items_are_taken_ahead_of_their_results():
    taken = 0

    def items():
        nonlocal taken
        for number in range(1, 1001):
            taken = number
            yield number

    with ThreadPoolExecutor(2) as pool:
        results = map_ahead(pool, str, items(), ahead=5)
        for number in range(1, 20):
            assert next(results) == str(number)
            assert taken <= number + 5
        results.close()
    assert taken < 30


def test_closing_the_iterator_stops_the_work():
    done, go_on = [], threading.Event()

    def work(item):
        done.append(item)
        if item:
            go_on.wait(10)
        return item

    with ThreadPoolExecutor(1) as pool:
        results = map_ahead(pool, work, range(100), ahead=20)
        assert next(results) == 0
        results.close()
        go_on.set()
    assert done in ([0], [0, 1])


def test_an_exception_of_an_item_is_raised():
    with pytest.raises(ZeroDivisionError):
        list(map_in_threads(lambda item: 1 // item, [1, 0, 1], workers=2))
