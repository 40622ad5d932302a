#!/usr/bin/env bash
# Installs what is missing, builds everything and runs the whole suite. The last line is the number
# of tests: "N passed, N failed, N skipped".
#
#   tests/run.sh            release build, every test
#   tests/run.sh --full     also warnings as errors, formatting, the suite under ASan+UBSan, and
#                           what --tsan adds (what CI runs: CI=true implies it)
#   tests/run.sh --tsan     also translator, machine and window under the thread sanitizer
#   tests/run.sh --clang    also a build of everything with clang, and its unit tests
#   tests/run.sh --tidy     also clang-tidy over all sources
#   tests/run.sh NAME…      only the named test programs, e.g. "isa gui"
#   tests/run.sh --only …   without the release build and its tests
set -uo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$top"
. third_party/packages.sh
e2k_install_packages third_party/packages.txt third_party/packages-tests.txt || exit 1

full=${CI:+1} tsan=${CI:+1}
release=1 clang='' tidy=''
names=()
for argument in "$@"; do
  case $argument in
    --full) full=1 tsan=1 ;;
    --tsan) tsan=1 ;;
    --clang) clang=1 ;;
    --only) release='' ;;
    --tidy) tidy=1 ;;
    -h | --help) sed -n '2,14s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) names+=("$argument") ;;
  esac
done

passed=0 failed=0 skipped=0 broken=()

fail() {
  failed=$((failed + 1))
  broken+=("$1")
  echo "FAILED: $1"
}

# While tests run, which often wait, the next build goes on with what processor time they leave.
ahead=
build_ahead() {  # build_ahead PRESET "TARGET…" [cmake arguments]
  local preset=$1 targets
  read -ra targets <<<"$2"
  shift 2
  (cmake --preset "$preset" "$@" && nice -n 19 cmake --build --preset "$preset" --target "${targets[@]}") \
    >/dev/null 2>&1 </dev/null &
  ahead=$!
  disown "$ahead"  # `wait` is for the tests
  trap 'pkill -P "$ahead"' EXIT
}

build() {  # build PRESET "TARGET…" [cmake arguments]
  local preset=$1 targets log start=$SECONDS
  read -ra targets <<<"$2"
  shift 2
  echo "== build $preset"
  [ -n "$ahead" ] && tail --pid="$ahead" -f /dev/null
  ahead=
  trap - EXIT
  log=$(mktemp)
  if cmake --preset "$preset" "$@" >"$log" 2>&1 &&
    cmake --build --preset "$preset" --target "${targets[@]}" >>"$log" 2>&1; then
    echo "built in $((SECONDS - start)) s"
    rm -f "$log"
    return 0
  fi
  tail -n 60 "$log"
  rm -f "$log"
  fail "build $preset"
  return 1
}

count() {  # count PATTERN FILE: the number after "[  WORD  ]" of GoogleTest's closing lines
  sed -n "s/^\[  $1 *\] \([0-9][0-9]*\) tests\?[.,].*/\1/p" "$2" | tail -n 1
}

run_program() {  # run_program PRESET NAME FILTER: prints a line; the numbers go to $results
  local preset=$1 name=$2 program=build/$1/test_$2 log=$results/$2.log status
  if [ ! -x "$program" ]; then
    echo "FAILED: $program does not exist"
    echo "0 1 0 $preset/$name is missing" >"$results/$name.count"
    return
  fi
  local command=(timeout 1500 "$program" --gtest_brief=1 --gtest_filter="${3:-*}")
  # Where the kernel spreads addresses widely the sanitizer does not find room for its own.
  [ "$preset" = tsan ] && setarch -R true 2>/dev/null && command=(setarch -R "${command[@]}")
  local start=$SECONDS
  "${command[@]}" >"$log" 2>&1
  status=$?
  local p f s why=''
  p=$(count PASSED "$log") f=$(count FAILED "$log") s=$(count SKIPPED "$log")
  p=${p:-0} f=${f:-0} s=${s:-0}
  {
    printf '%-8s %-10s %6d passed %4d failed %4d skipped  %4d s\n' \
      "$preset" "$name" "$p" "$f" "$s" $((SECONDS - start))
    if [ $status -ne 0 ] || [ "$f" -gt 0 ]; then
      why="$preset/$name (exit $status)"
      f=$((f > 0 ? f : 1))
      grep -vE '^\[==|^Note:' "$log" | tail -n 80
    elif [ $((p + s)) -eq 0 ]; then
      why="$preset/$name ran no test"
      f=1
      echo "FAILED: $why"
    fi
  } >"$results/$name.text"
  cat "$results/$name.text"
  echo "$p $f $s $why" >"$results/$name.count"
}

run_programs() {  # run_programs PRESET NAME[:FILTER]…: as many at once as there are processors
  local preset=$1 item p f s why file
  shift
  results=$(mktemp -d)
  for item in "$@"; do
    # The window's tests look at pictures a second and want the machine for themselves.
    [ "${item%%:*}" = gui ] && wait
    while [ "$(jobs -rp | wc -l)" -ge "$(nproc)" ]; do wait -n; done
    run_program "$preset" "${item%%:*}" "$([[ $item == *:* ]] && echo "${item#*:}")" &
    [ "${item%%:*}" = gui ] && wait
  done
  wait
  for file in "$results"/*.count; do
    [ -e "$file" ] || continue
    read -r p f s why <"$file"
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
    [ -n "$why" ] && broken+=("$why")
  done
  rm -rf "$results"
}

programs() {  # test programs that exist in the tree: the longest first, the window's last
  if [ ${#names[@]} -gt 0 ]; then
    printf '%s\n' "${names[@]}"
    return
  fi
  local all name
  all=$(sed -n 's/^ *e2k_test(\([a-z_]*\) .*/\1/p' tests/CMakeLists.txt | sort -u)
  for name in guests isa app; do grep -x "$name" <<<"$all"; done
  grep -vxE 'guests|isa|app|gui' <<<"$all"
  grep -x gui <<<"$all"
}

mapfile -t chosen < <(programs)
asan_targets="e2kwb ${chosen[*]/#/test_}"
tsan_targets="test_machine test_translate test_gui"

if [ -n "$release" ] && build release all ${full:+-DE2K_WERROR=ON}; then
  [ -n "$full" ] && build_ahead asan "$asan_targets" -DE2K_WERROR=ON
  run_programs release "${chosen[@]}"
fi

if [ -n "$full" ]; then
  echo "== clang-format"
  if find app engine tests ui \( -name '*.h' -o -name '*.cpp' \) -print0 |
    xargs -0 clang-format --dry-run -Werror; then
    passed=$((passed + 1))
  else
    fail "clang-format"
  fi
  export ASAN_OPTIONS=detect_leaks=0:handle_segv=1:allow_user_segv_handler=1
  export UBSAN_OPTIONS=print_stacktrace=1
  if build asan "$asan_targets" -DE2K_WERROR=ON; then
    [ -n "$tsan" ] && build_ahead tsan "$tsan_targets" -DE2K_WERROR=ON
    run_programs asan "${chosen[@]}"
  fi
fi

if [ -n "$tsan" ]; then
  # The fuzzer, the differential tests and those of recordings have one thread; the latter two need
  # a second guest address space, for which the sanitizer has no room. Host addresses are short in
  # its build, and so is the code that loads them: no golden listings.
  export TSAN_OPTIONS="second_deadlock_stack=1 suppressions=$top/tests/tsan_suppressions.txt"
  if build tsan "$tsan_targets" -DE2K_WERROR=ON; then
    run_programs tsan 'machine:-*Differential*:*History*' 'translate:-*Fuzz*:*Golden*' \
      'gui:CloseTest.*:LiveTest.*'
  fi
fi

if [ -n "$clang" ] && build clang all; then
  run_programs clang isa cpu translate machine
fi

if [ -n "$tidy" ] && e2k_install_packages third_party/packages-tidy.txt && build clang e2k_glad; then
  echo "== clang-tidy"
  log=$(mktemp)
  start=$SECONDS
  if run-clang-tidy -quiet -p build/clang -j "$(nproc)" '/(app|engine|tests|ui)/.*\.cpp$' \
    >"$log" 2>/dev/null; then
    passed=$((passed + 1))
  else
    grep -E '(warning|error):' "$log" | sort -u | tail -n 80
    fail "clang-tidy"
  fi
  rm -f "$log"
  echo "checked in $((SECONDS - start)) s"
fi

for item in ${broken[@]+"${broken[@]}"}; do echo "FAILED: $item"; done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
