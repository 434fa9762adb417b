#!/bin/bash
# long.sh - fuzz for hours with libFuzzer, each target in its turn, and add up what was done:
#
#     CC=clang CXX=clang++ meson setup BUILD -Dfuzz=true -Db_sanitize=address,undefined -Db_lundef=false \
#         -Ddefault_library=static
#     ninja -C BUILD
#     tests/fuzz/long.sh STATE HOURS BUILD/tests/fuzz [TARGET...]
#     tests/fuzz/long.sh --sum STATE
#
# STATE keeps a corpus of each target, the inputs that failed, and runs.tsv with a line for each turn.  It can be
# run again on the same STATE: corpora and figures go on.  Several may run at once, and one ends at a turn's end
# once there is a file STATE/stop.
set -u

sum() {
    awk -F '\t' '
        { runs[$2]++; cpu[$2] += $4; units[$2] += $5; failed[$2] += $8; last[$2] = $6 "\t" $7
          all_cpu += $4; all_units += $5; all_failed += $8 }
        END {
            printf "%-12s %6s %9s %13s %8s %8s %8s %8s\n", "target", "turns", "CPU h", "executions", "per s", "edges", "inputs", "failures"
            for (t in runs) {
                split(last[t], of, "\t")
                printf "%-12s %6d %9.2f %13d %8.0f %8d %8d %8d\n", t, runs[t], cpu[t] / 3600, units[t], (cpu[t] > 0 ? units[t] / cpu[t] : 0), of[1], of[2], failed[t]
            }
            printf "%-12s %6s %9.2f %13d %8s %8s %8s %8d\n", "all", "", all_cpu / 3600, all_units, "", "", "", all_failed
        }' "$1/runs.tsv"
}

if [ "${1-}" = --sum ]; then
    sum "$2"
    exit
fi
[ $# -ge 3 ] || { sed -n '2,13s/^# \{0,1\}//p' "$0"; exit 2; }
state=$1 end=$(awk "BEGIN { print int($(date +%s) + $2 * 3600) }") programs=$3
shift 3
here=$(cd "$(dirname "$0")" && pwd)
turn=${TURN:-300} # seconds
mkdir -p "$state/failures" "$state/logs"
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
export ASAN_OPTIONS=${ASAN_OPTIONS:-allocator_may_return_null=1} TIMEFORMAT='%U %S'

# What a log ends with: executions, edges, inputs of the corpus.
figures() {
    awk '/^stat::number_of_executed_units/ { units = $2 }
        /^#[0-9]+/ {
            if (!units || substr($1, 2) > units) seen = substr($1, 2) + 0
            for (i = 2; i < NF; i++) { if ($i == "cov:") edges = $(i + 1); if ($i == "corp:") inputs = $(i + 1) + 0 }
        }
        END { printf "%d\t%d\t%d", units ? units : seen, edges, inputs }' "$1"
}

one_turn() {
    local target=$1 log failed=0 left cpu rest=$turn began rc
    while [ "$rest" -gt 0 ]; do
        began=$(date +%s) log=$state/logs/$target-$$-$(date +%s%N).log
        mkdir -p "$state/corpus/$target"
        left=$(find "$here/$target" -maxdepth 0 -type d 2>/dev/null)
        cpu=$( { time "$programs/libfuzzer_$target" -max_total_time="$rest" -timeout=20 -rss_limit_mb=2500 -print_final_stats=1 \
            -artifact_prefix="$state/failures/$target-" -max_len=4096 $(dict "$target") \
            "$state/corpus/$target" $left > "$log" 2>&1; } 2>&1)
        grep -q 'Test unit written' "$log" && failed=1 || failed=0
        printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$(date +%FT%T)" "$target" $(($(date +%s) - began)) \
            "$(awk "BEGIN { split(\"$cpu\", t, \" \"); print t[1] + t[2] }")" "$(figures "$log")" "$failed" >> "$state/runs.tsv"
        [ "$failed" = 0 ] && rm -f "$log"
        rest=$((rest - ($(date +%s) - began)))
        [ "$failed" = 1 ] || break
    done
}

dict() {
    [ -f "$here/$1.dict" ] && echo "-dict=$here/$1.dict"
}

# Those that are there, also what was built while this ran.
targets() {
    find "$programs" -maxdepth 1 -type f -name 'libfuzzer_*' | sed 's/.*libfuzzer_//' | sort
}

while :; do
    for target in ${*:-$(targets | shuf)}; do
        [ "$(date +%s)" -ge "$end" ] || [ -e "$state/stop" ] && exit 0
        one_turn "$target"
    done
done
