# Calls to the llmux of this system, and saying how they went. Sourced; POSIX shell, like all that sources it.

llmux=http://127.0.0.1:8743

say() { # WORDS...: a heading
	printf '\n== %s\n' "$*"
}

check() { # WHAT COMMAND...: WHAT is so when COMMAND succeeds; otherwise all ends here
	what=$1
	shift
	if "$@"; then
		printf 'ok    %s\n' "$what"
	else
		printf 'FAILED %s\n       %s\n' "$what" "$*" >&2
		exit 1
	fi
}

no() { # COMMAND...: it fails
	! "$@"
}

within() { # SECONDS COMMAND...: it succeeds at some time until then
	tries=$(($1 * 10))
	shift
	until "$@"; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || return 1
		sleep 0.1
	done
}

ask() { # MODEL [true]: the answer of a chat completion; true streams
	curl --fail-with-body --silent --show-error --no-buffer --max-time 60 "$llmux/v1/chat/completions" \
		--header 'content-type: application/json' \
		--data "{\"model\": \"$1\", \"stream\": ${2:-false}, \"messages\": [{\"role\": \"user\", \"content\": \"hello\"}]}"
}

answers() { # MODEL WORDS: a whole answer has these words
	answer=$(ask "$1") || { printf '%s\n' "$answer" >&2; return 1; }
	has "$answer" "$2"
}

streams() { # MODEL WORDS: a stream has them, and comes to its end
	answer=$(ask "$1" true) || { printf '%s\n' "$answer" >&2; return 1; }
	has "$answer" "$2" && has "$answer" 'data: [DONE]'
}

has() { # TEXT WORDS
	case $1 in
	*"$2"*) ;;
	*)
		printf '%s\nhas no "%s"\n' "$1" "$2" >&2
		return 1
		;;
	esac
}

healthy() {
	curl --fail --silent --output /dev/null --max-time 5 "$llmux/health"
}
