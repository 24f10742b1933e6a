"""shop-day: a release that breaks search, Redis out of memory after an innocent release, Redis killed, and a pool that fills.

The release of search is the cause of its fault and its rollback ends it; the certificate of another service warns across the second fault.
Redis killed looks at nginx, cart and search as Redis out of memory does.
"""
from labkit import bad_release, certificate_expires, deploy, healthy, redis_down, redis_out_of_memory, sleep

SETTLE_S = 45  # until the last alert of a fault has cleared

healthy(100)
with bad_release("release-1"):
    sleep(75, "fault")
sleep(SETTLE_S, "settling")
healthy(150)
deploy("deploy-cart-v10", "cart", "v10", "cart v10: remember the last voucher", innocent=True, github=True)
sleep(30, "after the deploy")
with certificate_expires("certificate-1"):
    sleep(15, "unrelated alert alone")
    with redis_out_of_memory("redis-memory-1"):
        sleep(80, "fault")
    sleep(20, "unrelated alert outlasts the fault")
sleep(SETTLE_S - 20, "settling")
healthy(185)
with redis_down("redis-down-1", looks_like="redis-memory-1"):
    sleep(70, "fault")
sleep(SETTLE_S, "settling")
healthy(75)
