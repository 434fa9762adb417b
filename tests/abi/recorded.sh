#!/bin/sh
# recorded.sh LIBRARY HEADERS RECORDED FOLDER - the ABI of a shared library, as its debug information
# has it, is the recorded one: functions, their arguments, every member of every public struct.
#
# Needs abidw and abidiff (Debian: abigail-tools) and a build by gcc for x86-64, as the record was made.
# With KLDVE_UPDATE_ABI=1 in the environment the record is made anew.
set -eu
library=$1 headers=$2 recorded=$3 folder=$4
skip=77

command -v abidw >/dev/null && command -v abidiff >/dev/null || {
    echo "abidw and abidiff are not installed (Debian: abigail-tools)"
    exit $skip
}
[ "$(uname -m)" = x86_64 ] || {
    echo "the ABI is recorded for x86-64"
    exit $skip
}

# What this machine and this version of the source tree add to it is left out.
abidw --headers-dir "$headers" --drop-private-types --exported-interfaces-only --no-show-locs \
    --no-corpus-path --no-comp-dir-path --no-elf-needed "$library" >"$folder.now" 2>"$folder.log" || {
    cat "$folder.log"
    exit 1
}
grep -q '<function-decl' "$folder.now" || {
    echo "$library has no debug information"
    exit $skip
}

if [ -n "${KLDVE_UPDATE_ABI:-}" ]; then
    cp "$folder.now" "$recorded"
    echo "recorded: $recorded"
    exit 0
fi

# alike A B: no difference of any kind.
alike() {
    abidiff --no-default-suppression "$1" "$2" >"$folder.diff" 2>&1
}

if ! alike "$recorded" "$folder.now"; then
    cat "$folder.diff"
    echo
    echo "The ABI of $library is not the recorded one.  If that is meant, raise abi_version in"
    echo "meson.build as docs/abi.md says, and record it: KLDVE_UPDATE_ABI=1 meson test --suite abi"
    exit 1
fi

# The comparison finds what would break a program.
# changed WHAT SED: of a library whose record is edited so.
changed() {
    sed "$2" "$recorded" >"$folder.changed"
    ! cmp -s "$recorded" "$folder.changed" || {
        echo "nothing to change: $1"
        exit 1
    }
    ! alike "$recorded" "$folder.changed" || {
        echo "not found: $1"
        exit 1
    }
    echo "found: $1: $(grep -m 1 -E "[1-9][0-9]* (Removed|Changed)" "$folder.diff")"
}

size=$(sed -n "/<class-decl/{/size-in-bits='[0-9]/p}" "$recorded" | wc -l)
echo "$size structs, $(grep -c '<function-decl' "$recorded") functions"
member=$(grep -n "<data-member access='public'" "$recorded" | sed -n '2s/:.*//p')
changed "a member that moved" "${member}s/layout-offset-in-bits='[0-9]*'/layout-offset-in-bits='8'/"
changed "a member that is gone" "${member},$((member + 2))d"
symbol=$(sed -n "s/.*<elf-symbol name='\(kldve_[a-z_]*_free\)'.*/\1/p" "$recorded" | head -1)
changed "a function that is gone" "/<elf-symbol name='$symbol'/d; s/ elf-symbol-id='$symbol[^']*'//"
