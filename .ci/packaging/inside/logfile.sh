# A log file instead of the journal, and its rotation. Sourced after calls.sh, journal.sh and lifecycle.sh; a provider answers on
# port 18743.

written() { # FILE: a call that is made now is in it, soon
	answers over-plain heard && within 5 grep -qF 'POST /v1/chat/completions' "$1"
}

log_file() {
	say 'log file'
	local process
	process=$(pid)
	echo 'log: {file: /var/log/llmux/llmux.log}' >/etc/llmux/conf.d/80-log.yaml
	check 'a reload takes the setting' systemctl reload llmux
	check 'a call is in the file' within 5 written /var/log/llmux/llmux.log
	check 'logrotate turns it over' logrotate --force /etc/logrotate.d/llmux
	check 'what was written is put by' grep -qF 'POST /v1/chat/completions' /var/log/llmux/llmux.log.1
	check 'a call is in the new one' written /var/log/llmux/llmux.log
	check 'it is the same process' test "$(pid)" = "$process"
	rm /etc/llmux/conf.d/80-log.yaml
	check 'a reload goes back to the journal' systemctl reload llmux
}
