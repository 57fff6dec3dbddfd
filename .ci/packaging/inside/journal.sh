# What the service's manager knows of it. Sourced.

property() { # NAME [UNIT]
	systemctl show --property="$1" --value "${2:-llmux.service}"
}

pid() { # [UNIT]: of its main process
	property MainPID "${1:-llmux.service}"
}

replaced() { # PID [UNIT]: another main process is there, and ready
	[ "$(property ActiveState "${2:-}")" = active ] && [ "$(pid "${2:-}")" != 0 ] && [ "$(pid "${2:-}")" != "$1" ]
}

restart() { # as often as it takes: the unit allows five starts in a minute
	systemctl reset-failed llmux.service
	systemctl restart llmux.service
}

mark() { # from here on
	marked=$(journalctl --no-pager --quiet --show-cursor --lines=0 | sed -n 's/^-- cursor: //p')
}

logged() { # REGEX: since the mark, by the service or about it
	journalctl --no-pager --quiet --output=cat --unit='llmux*' --after-cursor="$marked" | grep -qE "$1"
}
