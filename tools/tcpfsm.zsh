#compdef tcpfsm
# SPDX-License-Identifier: GPL-2.0
# zsh completion for tcpfsm(8). All words come from the program itself.

_tcpfsm() {
	local -a words_of_it

	words_of_it=(${(f)"$(${words[1]} --complete ${words[2,CURRENT-1]} 2>/dev/null)"})
	compadd -- $words_of_it
	if (( ${words[(I)re(play|cord)]} )) || [[ ${words[CURRENT-1]} == --(from|record|spool) ]]; then
		_files
	fi
}

_tcpfsm "$@"
