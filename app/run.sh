#!/usr/bin/env bash
# Installs what is missing, builds the release preset and opens the workbench. Arguments go to e2kwb;
# without any, the start page offers demonstrations.
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$top/third_party/packages.sh"
e2k_install_packages "$top/third_party/packages.txt"
cd "$top"
[ -f build/release/build.ninja ] || cmake --preset release
cmake --build --preset release --target e2kwb
cd - >/dev/null
exec "$top/build/release/e2kwb" "$@"
