# The service, whether systemd runs here or not. Sourced after calls.sh; `scratch` names a folder that anybody may enter.
# Where systemd does not run, the daemon is started as llmux.service says it: its user, no capability, told where to notify,
# and with copies of the credentials.

if [ -d /run/systemd/system ]; then
	start() {
		# more starts in a minute than the unit allows somebody without a plan
		systemctl reset-failed llmux
		systemctl restart llmux
	}
	stop() {
		systemctl stop llmux
	}
	log() {
		journalctl --no-pager --unit=llmux --lines=50
	}
else
	supervisor=
	start() {
		stop
		rm -rf "$scratch/credentials"
		mkdir -m 0700 "$scratch/credentials"
		for file in /etc/llmux/credentials/*; do
			[ ! -f "$file" ] || install -m 0400 "$file" "$scratch/credentials/keys_${file##*/}"
		done
		chown -R llmux:llmux "$scratch/credentials"
		: >"$scratch/notified"
		env -i PATH=/usr/bin:/bin CREDENTIALS_DIRECTORY="$scratch/credentials" \
			/usr/lib/llmux/bin/python -I "$tests/notified.py" "$scratch/notified" \
			setpriv --reuid=llmux --regid=llmux --clear-groups --no-new-privs --inh-caps=-all --bounding-set=-all \
			/usr/bin/llmux run --config /etc/llmux/llmux.yaml >>"$scratch/log" 2>&1 &
		supervisor=$!
		within 30 grep -q '^READY=1' "$scratch/notified"
	}
	stop() { # as well as it ended
		[ "$supervisor" ] || return 0
		stopping=$supervisor
		supervisor=
		kill "$stopping"
		wait "$stopping"
	}
	log() {
		tail -n 50 "$scratch/log"
	}
fi
