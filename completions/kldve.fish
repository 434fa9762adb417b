# fish completion of kldve.  The command itself says what can stand at the cursor.

function __kldve_complete
    set -l tokens (commandline -opc)
    set -l current (commandline -ct)
    set -l lines (command $tokens[1] complete plain $tokens[2..-1] (string unescape -- $current; or echo -- $current) 2>/dev/null)
    set -l kind (string split ' ' -- $lines[1])
    # Words can stand here, beside files or alone.
    test (count $lines) -gt 2; and printf '%s\n' $lines[3..-1]
    switch "$kind[1]"
        case files folders
            set -l before (string match -r -- '^--[a-z-]+=' $current)
            for path in $lines[2]*
                if test -d $path
                    printf '%s%s/\n' "$before" $path
                else if test $kind[1] = files
                    set -l ending (string lower -- (string match -r '\.[^.]*$' $path))
                    if test (count $kind) -eq 1; or contains -- "$ending" $kind
                        printf '%s%s\n' "$before" $path
                    end
                end
            end
    end
end

complete -c kldve -f -a '(__kldve_complete)'
