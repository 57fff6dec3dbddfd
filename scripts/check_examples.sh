#!/usr/bin/env bash
# Hold the examples against the programs that they are for, in a minute and on 127.0.0.1 alone.
#
#   scripts/check_examples.sh [EXAMPLES [LLMUX]]
#
# EXAMPLES: the folder with the examples; this tree's when left out, /usr/share/doc/llmux/examples once installed.
# LLMUX: the command that is run; the one on the path when left out.
# Needs prometheus (with promtool), nginx, haproxy, openssl, curl and python3 (3.11 or newer).
set -euo pipefail

scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
examples=$(cd "${1:-$scripts/../etc/examples}" && pwd)
llmux=$(realpath --no-symlinks "$(command -v "${2:-llmux}")")
PATH=$PATH:/usr/sbin:/sbin

promtool check config "$examples/prometheus/scrape.yml"
promtool check rules "$examples/prometheus/alerts.yml"
promtool test rules "$examples/prometheus/alerts_test.yml"

# The service names of the container are no names here, and the rules lie beside the file there.
compose=$(mktemp -d)
trap 'rm -rf "$compose"' EXIT
cp "$examples/compose/prometheus.yml" "$examples/prometheus/alerts.yml" "$compose"
promtool check config "$compose/prometheus.yml"

python3 "$scripts/check_prometheus.py" "$examples" "$llmux"
python3 "$scripts/check_fronts.py" "$examples" "$llmux"
echo "examples: all good"
