# systemd holds the port: nobody is refused while the daemon behind it comes and goes. Sourced after calls.sh, journal.sh and
# lifecycle.sh; a provider answers on port 18743.

among_clients() { # COMMAND...: nobody may notice
	"$python" -I "$here/load.py" 8 "$BASH" -c '"$@"' among "$@"
}

refused() {
	curl --silent --output /dev/null --max-time 5 "$llmux/health"
	[ $? = 7 ]
}

socket_activation() {
	say 'socket activation'
	systemctl reset-failed
	systemctl stop llmux.service
	check 'nobody listens' refused
	check 'the socket is turned on' systemctl enable --quiet --now llmux.socket
	check 'the service waits for a call' test "$(property ActiveState)" = inactive
	check 'the first call starts it' answers over-plain heard
	check 'it runs' test "$(property ActiveState)" = active
	check 'no file of the package was edited for it' none dpkg --verify llmux
}

restart_behind_the_socket() {
	local process
	process=$(pid)
	systemctl reset-failed
	check 'nobody notices a restart' among_clients systemctl restart llmux.service
	check 'another process answers' replaced "$process"
}

upgrade_behind_the_socket() {
	say 'upgrade behind the socket'
	local process
	process=$(pid)
	systemctl reset-failed
	check 'nobody notices an upgrade' among_clients apt install "$packages/new.deb"
	check 'it is the new version' installed new.deb
	files_that_nobody_edited_are_new
	check 'another process answers' replaced "$process"
	check 'the socket is still on' systemctl is-active --quiet llmux.socket
	check 'and will be after a reboot' systemctl is-enabled --quiet llmux.socket
}

upgrade_with_bad_settings() {
	say 'upgrade with bad settings'
	local process
	process=$(pid)
	echo 'drian: 1' >/etc/llmux/conf.d/70-bad.yaml
	check 'the package installs' apt --reinstall install "$packages/new.deb"
	check 'and says what is wrong' grep -q '/etc/llmux/conf\.d/70-bad\.yaml:1:1: ' "$scratch/said"
	check 'the process from before goes on' test "$(pid)" = "$process"
	check 'and answers' answers over-plain heard
	rm /etc/llmux/conf.d/70-bad.yaml
	check 'without them it installs again' apt --reinstall install "$packages/new.deb"
	check 'another process answers' replaced "$process"
}

served() { # UNIT: it has answered since the mark
	answers over-plain heard && journalctl --no-pager --quiet --output=cat --unit="$1" --after-cursor="$marked" \
		| grep -q 'POST /v1/chat/completions'
}

instances() {
	say 'instances on one port'
	local one two
	systemctl disable --quiet --now llmux.socket llmux.service
	systemctl reset-failed
	mark
	check 'two of them start' systemctl enable --quiet --now llmux@1 llmux@2
	check 'the first answers' within 10 served llmux@1.service
	check 'the second answers' within 10 served llmux@2.service
	one=$(pid llmux@1.service) two=$(pid llmux@2.service)
	check 'nobody notices a restart of one' among_clients systemctl restart llmux@1.service
	check 'it is another process' replaced "$one" llmux@1.service
	check 'the other one is the same' test "$(pid llmux@2.service)" = "$two"
	check 'all of them reload' systemctl reload 'llmux@*.service'
	one=$(pid llmux@1.service)
	systemctl enable --quiet llmux.service
	check 'nobody notices the package being installed again' among_clients apt --reinstall install "$packages/new.deb"
	check 'the first is another process' within 40 replaced "$one" llmux@1.service
	check 'and so is the second' within 40 replaced "$two" llmux@2.service
	check 'the plain service, though enabled, does not take their port' no systemctl is-active --quiet llmux.service
}
