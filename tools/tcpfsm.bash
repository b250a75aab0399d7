# SPDX-License-Identifier: GPL-2.0
# bash completion for tcpfsm(8). All words come from the program itself.

_tcpfsm()
{
	local cur=${COMP_WORDS[COMP_CWORD]} words pair= IFS=$' \t\n'

	# readline takes the colon of a pair of states for a break between words.
	case $cur in
	:) cur= pair=1 ;;
	esac
	[[ ${COMP_WORDS[COMP_CWORD-1]-} == : ]] && pair=1
	if [[ $pair ]]; then
		words=$("${COMP_WORDS[0]}" --complete flows state 2>/dev/null)
	else
		words=$("${COMP_WORDS[0]}" --complete "${COMP_WORDS[@]:1:COMP_CWORD-1}" 2>/dev/null)
	fi
	COMPREPLY=($(compgen -W "$words" -- "$cur"))

	# A capture, a record, a directory.
	if [[ " ${COMP_WORDS[*]:1:COMP_CWORD-1} " == *" "@(replay|record)" "* ||
	      ${COMP_WORDS[COMP_CWORD-1]-} == --@(from|record|spool) ]]; then
		compopt -o filenames 2>/dev/null
		COMPREPLY+=($(compgen -f -- "$cur"))
	fi
}

complete -F _tcpfsm tcpfsm
