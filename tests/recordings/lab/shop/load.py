"""A steady load for the shop: a fixed mix of requests with random gaps, from one seed."""
import http.client
import random
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor

MIX = (("checkout", 6.0), ("search", 8.0), ("cart", 4.0), ("home", 3.0))
WORDS = [f"{a} {b}" for a in ("red", "blue", "oak", "tall", "small", "old") for b in ("lamp", "chair", "desk", "shelf", "rug")]


def path(kind, draw):
    if kind == "checkout":
        return "/checkout/order"
    if kind == "search":
        return "/search?q=" + draw.choice(WORDS).replace(" ", "+")
    if kind == "cart":
        return f"/cart/add?user={draw.randint(1, 300)}"
    return "/"


def send(target):
    connection = http.client.HTTPConnection("127.0.0.1", 8088, timeout=10)
    try:
        connection.request("GET", target)
        connection.getresponse().read()
    except OSError:
        pass
    finally:
        connection.close()


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    draw = random.Random(7)
    kinds, weights = zip(*MIX)
    rate = sum(weights)
    with ThreadPoolExecutor(24) as pool:
        due = time.monotonic()
        while True:
            due += draw.expovariate(rate)
            time.sleep(max(0.0, due - time.monotonic()))
            pool.submit(send, path(draw.choices(kinds, weights)[0], draw))


main()
