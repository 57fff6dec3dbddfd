# A daemon that hangs or dies comes back. Sourced after calls.sh and journal.sh.

watchdog() {
	say 'watchdog'
	local process
	mkdir -p /run/systemd/system/llmux.service.d
	printf '[Service]\nWatchdogSec=2\n' >/run/systemd/system/llmux.service.d/impatient.conf
	systemctl daemon-reload
	restart
	process=$(pid)
	# longer than it may be silent: a daemon that works shows it
	sleep 5
	check 'it shows that it lives' test "$(pid)" = "$process"
	mark
	check 'it stands still' kill -STOP "$process"
	check 'systemd sees it' within 10 logged 'Watchdog timeout'
	check 'and ends it by SIGABRT' within 10 logged 'signal ABRT|code=(killed|dumped), status=6/ABRT'
	check 'it comes back' within 20 replaced "$process"
	check 'and answers' within 5 answers gpt-5 '"content"'
	rm -r /run/systemd/system/llmux.service.d
	systemctl daemon-reload
}

sudden_death() {
	say 'kill -9'
	local process
	restart
	process=$(pid)
	check 'it is killed' kill -KILL "$process"
	check 'it comes back' within 20 replaced "$process"
	check 'and answers' within 5 answers gpt-5 '"content"'
}
