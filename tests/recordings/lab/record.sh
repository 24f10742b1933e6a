#!/bin/sh
# Brings the lab up in namespaces of its own, records one scenario, and takes the lab down again.
# usage: record.sh NAME TITLE OUT [RECORDER…]   RECORDER is the command before the arguments, `hindcast record` by default
set -eu
here=$(cd "$(dirname "$0")" && pwd)
if [ "${IN_NAMESPACE:-}" != yes ]; then
  # Its own loopback, processes and /srv: several recordings can be made at once, and nothing of the machine is touched.
  IN_NAMESPACE=yes exec unshare --net --mount --pid --fork --mount-proc --propagation private sh "$0" "$@"
fi
name=$1 title=$2 out=$3
shift 3
[ $# -gt 0 ] || set -- hindcast record
mount -t tmpfs lab /srv
ip link set lo up
/usr/bin/python3 "$here/lab.py" up
sleep 45 # so that every rate has a past, and what the start itself caused is over

version() { dpkg-query -W -f '${source:Upstream-Version}' "$1"; }
"$@" --name "$name" --title "$title" --out "$out" --record-listen 127.0.0.1:17272 \
  --prometheus http://127.0.0.1:9090 --metrics "$here/config/metrics.json" --step 2 --catalog "$here/config/catalog.yaml" \
  --log nginx=/srv/shop/log/nginx-access.log:nginx-access --log nginx=/srv/shop/log/nginx-error.log:nginx-error \
  --log checkout=/srv/shop/log/checkout.log:json --log search=/srv/shop/log/search.log:json --log cart=/srv/shop/log/cart.log:json \
  --log postgres=/srv/shop/log/postgres.log:postgres --log redis=/srv/shop/log/redis.log:redis \
  --software "nginx=$(version nginx-light)" --software "PostgreSQL=$(version postgresql-15)" --software "Redis=$(version redis-server)" \
  --software "Prometheus=$(version prometheus)" --software "Alertmanager=$(version prometheus-alertmanager)" \
  --software "postgres_exporter=$(version prometheus-postgres-exporter)" --software "redis_exporter=$(version prometheus-redis-exporter)" \
  --software "nginx-prometheus-exporter=$(version prometheus-nginx-exporter)" --software "node_exporter=$(version prometheus-node-exporter)" \
  --software "mtail=$(version mtail)" \
  -- /usr/bin/python3 -u "$here/scenario-$name.py" || status=$?
/usr/bin/python3 "$here/lab.py" down
exit "${status:-0}"
