"""pg-pool: PostgreSQL runs out of connections twice; between the two, a full disk looks just the same at nginx.

A backup that is too old warns across the look-alike, and a deploy shortly before the second exhaustion is innocent.
"""
from labkit import deploy, disk_full, healthy, old_backup, pool_exhaustion, sleep

SETTLE_S = 50  # until the last alert of a fault has cleared

healthy(90)
with pool_exhaustion("pool-1"):
    sleep(80, "fault")
sleep(SETTLE_S, "settling")
healthy(130)
with old_backup("backup-1"):
    sleep(20, "unrelated alert alone")
    with disk_full("disk-1", looks_like="pool-1"):
        sleep(75, "fault")
    sleep(25, "unrelated alert outlasts the fault")
sleep(SETTLE_S - 25, "settling")
healthy(125)
deploy("deploy-checkout-v42", "checkout", "v42", "checkout v42: new receipt layout", innocent=True)
sleep(40, "after the deploy")
with pool_exhaustion("pool-2", same_as="pool-1"):
    sleep(90, "fault")
sleep(SETTLE_S, "settling")
healthy(70)
