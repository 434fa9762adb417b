#!/bin/sh
# check_list.sh PYTHON GROW HEADERS DOCUMENT PROGRAM ONNX - the structs of the headers are those of
# the table in docs/abi.md and, with the engine, those that the program passes.
set -eu
export LC_ALL=C
python=$1 grow=$2 headers=$3 document=$4 program=$5 onnx=$6
in_headers=$("$python" "$grow" --list "$headers" | sort)
in_document=$(sed -n 's/^| `\(kldve_[a-z_]*\)` |.*/\1/p' "$document" | sort)
in_program=$("$program" --list | sort)
if [ "$onnx" = no ]; then
    of_engine=$(sed -n 's/^typedef struct \(kldve_[a-z_]*\) {.*/\1/p' "$headers/onnx.h")
    in_program=$(printf '%s\n' "$in_program" "$of_engine" | sort)
fi
[ -n "$in_headers" ]
if [ "$in_headers" != "$in_document" ]; then
    printf 'structs of the headers:\n%s\nstructs of %s:\n%s\n' "$in_headers" "$document" "$in_document"
    exit 1
fi
if [ "$in_headers" != "$in_program" ]; then
    printf 'structs of the headers:\n%s\nstructs that the program passes:\n%s\n' "$in_headers" "$in_program"
    exit 1
fi
