# SPDX-License-Identifier: GPL-2.0
# fish completion for tcpfsm(8). All words come from the program itself.

function __tcpfsm_words
    set -l words (commandline -opc)
    $words[1] --complete $words[2..-1] 2>/dev/null
end

complete -c tcpfsm -f -a '(__tcpfsm_words)'
complete -c tcpfsm -n '__fish_seen_subcommand_from replay record' -F
complete -c tcpfsm -n 'contains -- (commandline -opc)[-1] --from --record --spool' -F
