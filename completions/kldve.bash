# bash completion of kldve.  The command itself says what can stand at the cursor.

# A value as it has to stand on the line, behind the quote that is open, if one is.
_kldve_quoted() {
    case $2 in
        \"*) local text=${1//\\/\\\\}; text=${text//\"/\\\"}; text=${text//\$/\\\$}; printf '%s' "${text//\`/\\\`}" ;;
        \'*) printf '%s' "${1//\'/\'\\\'\'}" ;;
        *) printf '%q' "$1" ;;
    esac
}

_kldve() {
    local rest=${COMP_LINE:0:COMP_POINT} raw=() lines=() i word kind value found begun ending

    # bash also splits words at = and :, which belong to the words here.
    for ((i = 0; i <= COMP_CWORD; i++)); do
        word=${rest#"${rest%%[![:space:]]*}"}
        [[ $i -eq 0 || $word != "$rest" ]] && raw+=('')
        rest=$word
        ((i < COMP_CWORD)) && word=${COMP_WORDS[i]}
        raw[${#raw[@]} - 1]+=$word
        ((i < COMP_CWORD)) && rest=${rest#"$word"}
    done
    mapfile -t lines < <("$1" complete bash "${raw[@]:1}" 2>/dev/null)
    kind=${lines[0]} value=${lines[1]} COMPREPLY=()
    # What bash takes for the word is what stands behind the last = or :.
    begun=${raw[-1]}
    if [[ $begun != [\"\']* && $begun == *[=:]* ]]; then begun=${begun%"${begun##*[=:]}"}; else begun=; fi
    # Words can stand here, beside files or alone.
    for word in "${lines[@]:2}"; do
        word=$(_kldve_quoted "${word%%$'\t'*}" "${raw[-1]}")
        COMPREPLY+=("${word#"$begun"}")
    done
    case $kind in
        folders)
            compopt -o filenames
            mapfile -t COMPREPLY < <(compgen -d -- "$value") ;;
        files*)
            compopt -o filenames
            mapfile -t found < <(compgen -f -- "$value")
            for word in "${found[@]}"; do
                [[ $kind == files || -d $word ]] && COMPREPLY+=("$word") && continue
                for ending in ${kind#files }; do
                    [[ ${word,,} == *"$ending" ]] && COMPREPLY+=("$word")
                done
            done ;;
    esac
}

complete -F _kldve kldve
