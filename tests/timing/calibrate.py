#!/usr/bin/env python3
"""Compares the cycle model with what real machines print for the same programs.

    tests/timing/calibrate.py [--programs DIR] [--results CSV] [--e2kwb FILE] [--jobs N]
                              [--only WORD…] [--table FILE]

DIR holds the benchmark programs, by default $E2K_BENCH_PROGRAMS; a file is called as the CSV says,
with "WORD-" in front or not. CSV has the columns program, machine, mhz, metric, value, by default
$E2K_BENCH_RESULTS. Without them the script says so and ends with 77 (skipped).

The model's figure is what the program itself prints under `e2kwb cycles`: its clock runs from the
modelled cycles. An error is modelled cycles per unit of work over real ones, minus 1. The script
fails when an error is above 25 % or the median of their sizes above 12 %.
"""
import argparse
import concurrent.futures
import csv
import os
import re
import statistics
import struct
import subprocess
import sys
import tempfile

SKIPPED = 77

# Machine of the results: its model, its version, and which programs its log is of. Some logs name
# programs of other versions than those that ran; of such only its own version counts.
MACHINES = {
    "2C+": ("e2c+", 2, True),
    "4C": ("e4c", 3, False),
    "8C": ("e8c", 4, False),
    "1C+": ("e1c+", 4, False),
    "8CB at 1200": ("e8c2", 5, False),
    "16C": ("e16c", 6, True),
    "16C b": ("e16c", 6, False),
    "2C3": ("e2c3", 6, False),
}

# Metric: benchmark, what it prints, how many times as fast its clock shall run.
METRICS = {
    "vax_mips": ("Dhrystone", r"VAX\s+MIPS rating =\s*([\d.]+)", 1000),
    "mwips": ("Whetstone", r"MWIPS\s+([\d.]+)", 3000),
    "linpack_mflops": ("Linpack", r"Precision\s+([\d.]+)\s+Mflops", 500),
    "coremark_per_s": ("CoreMark", r"Iterations/Sec\s*:\s*([\d.]+)", 3000),
    "scimark_composite": ("SciMark2", r"Composite Score:\s*([\d.]+)", 500),
}
# Codes in the flags of ELF files that are no versions themselves.
PROCESSOR_CODES = {0: 4, 19: 4, 20: 4, 21: 6, 22: 6, 23: 6}


def version_of(path):
    """The instruction set version that a program's file says."""
    with open(path, "rb") as file:
        code = struct.unpack_from("<I", file.read(64), 48)[0] >> 24
    return PROCESSOR_CODES.get(code, code)


def named_version(program):
    found = re.search(r"[-_]v(\d)", program)
    return int(found.group(1)) if found else 0


def find_programs(directory):
    programs = {}
    for name in sorted(os.listdir(directory)):
        programs.setdefault(re.sub(r"^[0-9a-f]{6}-", "", name), os.path.join(directory, name))
    return programs


def comparisons(results, programs, only):
    """(metric, program, machine, MHz, real value) for what can be compared."""
    seen = set()
    for row in csv.DictReader(open(results)):
        if row["metric"] not in METRICS or row["machine"] not in MACHINES:
            continue
        program, machine = row["program"], row["machine"]
        _, version, own_only = MACHINES[machine]
        if program not in programs or "_mp" in program or (row["metric"], program, machine) in seen:
            continue
        if version_of(programs[program]) > version or (own_only and named_version(program) != version):
            continue
        if only and not all(word in f"{program} {machine} {row['metric']}" for word in only):
            continue
        seen.add((row["metric"], program, machine))
        yield row["metric"], program, machine, float(row["mhz"]), float(row["value"])


def modelled(e2kwb, path, model, metric):
    """The figure that the program prints for the model, or None."""
    _, pattern, speed = METRICS[metric]
    with tempfile.TemporaryDirectory() as scratch:
        run = subprocess.run(
            [e2kwb, "cycles", "--top", "0", "--model", model, "--clock-speed", str(speed), path],
            cwd=scratch, stdin=subprocess.DEVNULL, capture_output=True, timeout=1800)
    found = re.search(pattern, run.stdout.decode(errors="replace"))
    clock = re.search(r"\), ([\d.]+) MHz", run.stderr.decode(errors="replace"))
    if not found or not clock:
        return None
    return float(found.group(1)) * speed, float(clock.group(1))


def main():
    arguments = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1].strip())
    arguments.add_argument("--programs", default=os.environ.get("E2K_BENCH_PROGRAMS"))
    arguments.add_argument("--results", default=os.environ.get("E2K_BENCH_RESULTS"))
    arguments.add_argument("--e2kwb", default="build/release/e2kwb")
    arguments.add_argument("--jobs", type=int, default=2)
    arguments.add_argument("--only", nargs="*")
    arguments.add_argument("--table")
    options = arguments.parse_args()
    for name, what in (("programs", "E2K_BENCH_PROGRAMS"), ("results", "E2K_BENCH_RESULTS")):
        value = getattr(options, name)
        if not value or not os.path.exists(value):
            print(f"skipped: no {name} (--{name} or ${what})")
            return SKIPPED
    e2kwb = os.path.abspath(options.e2kwb)
    programs = find_programs(options.programs)
    wanted = list(comparisons(options.results, programs, options.only))
    runs = {}
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for metric, program, machine, _, _ in wanted:
            model = MACHINES[machine][0]
            key = (program, model)
            if key not in runs:
                runs[key] = pool.submit(modelled, e2kwb, programs[program], model, metric)
    rows, failed = [], []
    for metric, program, machine, mhz, real in sorted(wanted, key=lambda w: (w[0], w[2], w[1])):
        figure = runs[(program, MACHINES[machine][0])].result()
        if figure is None:
            failed.append(f"{program} under {MACHINES[machine][0]}")
            continue
        value, model_mhz = figure
        error = (model_mhz / value) / (mhz / real) - 1
        rows.append((METRICS[metric][0], machine, program, mhz / real, model_mhz / value, error))
    lines = ["| benchmark | machine | program | real MHz / figure | modelled | error |",
             "|---|---|---|---|---|---|"]
    lines += [f"| {b} | {m} | {p} | {r:.5g} | {v:.5g} | {100 * e:+.1f} % |"
              for b, m, p, r, v, e in rows]
    sizes = [abs(row[5]) for row in rows]
    groups = {}
    for row in rows:
        groups.setdefault((row[0], row[1]), []).append(row[5])
    summary = ["| benchmark | machine | programs | median error | from | to |", "|---|---|---|---|---|---|"]
    summary += [f"| {b} | {m} | {len(e)} | {100 * statistics.median(e):+.1f} % | {100 * min(e):+.1f} % "
                f"| {100 * max(e):+.1f} % |" for (b, m), e in sorted(groups.items())]
    print("\n".join(lines + [""] + summary))
    if options.table:
        with open(options.table, "w") as file:
            file.write("\n".join(summary + [""] + lines) + "\n")
    for what in failed:
        print(f"no figure: {what}", file=sys.stderr)
    if not sizes:
        print("nothing to compare", file=sys.stderr)
        return 1
    far = sum(size > 0.25 for size in sizes)
    median = statistics.median(sizes)
    print(f"{len(sizes)} comparisons: median error {100 * median:.1f} %, {far} above 25 %, "
          f"most {100 * max(sizes):.1f} %")
    return 0 if not failed and far == 0 and median <= 0.12 else 1


if __name__ == "__main__":
    sys.exit(main())
