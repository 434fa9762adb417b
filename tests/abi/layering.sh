#!/bin/sh
# layering.sh SOURCE - who may include what.  Each rule is a pattern that must not be found.
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
forbid 'BLAS is called in reduce.c only' "${inc}cblas" $(echo "$core" | grep -v '^lib/stages/reduce\.c$')
forbid 'setjmp stays in png.c and jpeg.c' "${inc}setjmp" \
    $(echo "$core" | grep -vE '^lib/image/(png|jpeg)\.c$') $engine $hosts
forbid 'libpng and libjpeg stay in png.c and jpeg.c' "$inc(png|jpeglib|jerror)" \
    $(echo "$core" | grep -vE '^lib/image/(png|jpeg)\.c$') $engine $hosts
forbid 'no stage knows the pipeline' "${inc}(pipeline/)?explain\.h" \
    $(echo "$core" | grep -vE '^lib/pipeline/(explain|arrays|many)\.c$')
forbid 'the library neither prints nor exits' \
    '(^|[^a-z_])(printf|puts|putchar|perror|exit|abort) *\(|[^/]std(out|err)' $core $engine
forbid 'no thread-local state' '_Thread_local|__thread|thread_local' $core $engine
if [ -n "$engine" ]; then
    forbid 'oneDNN stays in dnnl.c' "$inc(oneapi|dnnl)" \
        $(echo "$engine" | grep -vE '^lib/onnx/accel/dnnl\.c$')
    # Of the core the engine uses the public headers; size.h has only inline functions.
    private=$(cd lib && find . -name '*.h' -not -path './onnx/*' | sed 's|^\./||' |
        grep -v '^base/size\.h$' | tr '\n' '|')
    forbid 'the engine uses nothing private of the core' \
        "$inc(\.\./)*(${private%|})\"" $engine
fi
# Private headers are not on their include path either.
forbid 'the tool and the examples use public headers only' "$inc(\.\./)+(lib|core|tests)/" $hosts
exit $status
