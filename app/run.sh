#!/usr/bin/env bash
# Installs what is missing, builds the release preset and opens the workbench. Arguments go to e2kwb;
# without any, it opens on a demo program. (e2kwb itself begins with a page of all of them.)
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$top/third_party/packages.sh"
e2k_install_packages "$top/third_party/packages.txt"
cd "$top"
[ -f build/release/build.ninja ] || cmake --preset release
cmake --build --preset release --target e2kwb
cd - >/dev/null
[ $# -gt 0 ] || set -- "$top/assets/demo/mandelbrot.s"
exec "$top/build/release/e2kwb" "$@"
