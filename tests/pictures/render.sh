#!/usr/bin/env bash
# Draws the cards of the tests as pictures: `tests/pictures/render.sh OUT FILE…`, with node, npm and chromium.
# Adaptive Cards are drawn by the vendor's own renderer, Slack's blocks by a stand-in of ours.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=$(mkdir -p "$1" && cd "$1" && pwd); shift
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
files=(); for file in "$@"; do files+=("$(realpath "$file")"); done
cd "$work"
npm init -y >/dev/null && npm install --silent --no-fund --no-audit adaptivecards@3.0.6 >/dev/null
node "$here/render.mjs" "$work/pages" "${files[@]}" | while read -r page; do
  chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --force-device-scale-factor=1.5 \
    --window-size=720,${HEIGHT:-900} --screenshot="$out/${page%.html}.png" "file://$work/pages/$page" 2>/dev/null
  echo "$out/${page%.html}.png"
done
