#!/bin/sh
# layering.sh SOURCE - which headers of other projects belong where, and what no library does.
# Each rule is a pattern that must not be found.  folders.py checks which folder includes which.
set -u
cd "$1" || exit 2
status=0

# forbid WHY PATTERN FILE...
forbid() {
    why=$1 pattern=$2
    shift 2
    found=$(grep -nE "$pattern" "$@" /dev/null)
    if [ -n "$found" ]; then
        printf '%s:\n%s\n' "$why" "$found"
        status=1
    fi
}

core=$(find lib -name '*.[ch]' -not -path 'lib/onnx/*' | sort)
# embed.c is a program that the build runs.
engine=$(find lib/onnx -name '*.[ch]' -not -name embed.c | sort)
hosts=$(find tools examples -name '*.[ch]' | sort)
public=$(find include -name '*.h' -not -name onnx.h)
[ -n "$core" ] && [ -n "$public" ] || exit 2

inc='^ *# *include *[<"]'
forbid 'the core does not know the engine' "$inc(kldve/onnx\.h|onnx/|oneapi|dnnl|pb|json)" $core
forbid 'public headers of the core do not know the engine' "$inc(kldve/onnx\.h|oneapi|dnnl)" $public
forbid 'BLAS is called in weigh_cblas.c only' "${inc}cblas" $(echo "$core" | grep -v '^lib/stages/weigh_cblas\.c$')
forbid 'setjmp stays in png.c and jpeg.c' "${inc}setjmp" \
    $(echo "$core" | grep -vE '^lib/image/(png|jpeg)\.c$') $engine $hosts
forbid 'libpng and libjpeg stay in png.c and jpeg.c' "$inc(png|jpeglib|jerror)" \
    $(echo "$core" | grep -vE '^lib/image/(png|jpeg)\.c$') $engine $hosts
forbid 'the library neither prints nor exits' \
    '(^|[^a-z_])(printf|puts|putchar|perror|exit|abort) *\(|[^/]std(out|err)' $core $engine
forbid 'no thread-local state' '_Thread_local|__thread|thread_local' $core $engine
if [ -n "$engine" ]; then
    forbid 'oneDNN stays in accel/' "$inc(oneapi|dnnl|accel/onednn\.h)" \
        $(echo "$engine" | grep -v '^lib/onnx/accel/')
    forbid 'only onednn2.c, onednn3.c and barrier.h know which oneDNN it is' 'DNNL_VERSION' \
        $(echo "$engine" | grep -vE '^lib/onnx/accel/(onednn[23]\.c|barrier\.h)$')
    forbid 'what takes memory in oneDNN is called through barrier.h' \
        '(^|[^a-z_])dnnl_[a-z_]*_(create|init|execute|wait|append|set|clone|permute|next)[a-z_]*\(' $engine
    forbid 'kernels do not know the planner' "${inc}(plan/|plan\.h)" \
        $(echo "$engine" | grep -E '^lib/onnx/run/(dense|elementwise|relevance_kernels|kernel)\.')
    # The engine's passes ask an operator's traits.  The names are those of the operator table; patterns
    # of fusion stand in one table, and inlining a function makes an Identity in the file's language.
    operators=$(sed -nE 's/.*(\.type = |(FUNCTION|ACTIVATION|COMPARE)\()"([A-Z][A-Za-z0-9]*)".*/\3/p' \
        lib/onnx/ops/*.c | sort -u | tr '\n' '|')
    [ "$(echo "$operators" | tr '|' '\n' | wc -l)" -gt 100 ] || exit 2
    patterns=$(grep -lE '^} patterns\[\] = \{' $engine)
    [ "$(echo "$patterns" | wc -w)" -eq 1 ] || exit 2
    forbid 'operators are named in lib/onnx/ops/ and in the table of patterns only' \
        "^[^/]*\"(${operators%|})\"" $(echo "$engine" |
            grep -vE "^(lib/onnx/ops/.*|lib/onnx/read/proto_inline\.c|$patterns)\$")
fi
forbid 'the examples use public headers only' "$inc(\.\./)+(lib|tools|tests)/" $hosts
exit $status
