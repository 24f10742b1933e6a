"""calm-day: nothing is wrong with the shop; two releases go out, and a backup that it does not depend on is late.

What opens more than the one warning here is a false alarm.
"""
from labkit import deploy, healthy, old_backup, sleep

healthy(245)
deploy("deploy-search-v18", "search", "v18", "search v18: shorter log lines", innocent=True)
sleep(20, "after the deploy")
healthy(190)
with old_backup("backup-1"):
    sleep(60, "unrelated alert alone")
deploy("deploy-cart-v10", "cart", "v10", "cart v10: remember the last voucher", innocent=True, github=True)
sleep(20, "after the deploy")
healthy(250)
