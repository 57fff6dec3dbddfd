# New settings without a restart, and keys with one. Sourced after calls.sh and journal.sh; a provider answers on port 18743.

reload_keeps_streams() {
	say 'reload'
	local process first
	process=$(pid)
	ask steady-40 true >"$scratch/stream" &
	first=$!
	within 10 grep -q heard "$scratch/stream"
	cat >/etc/llmux/conf.d/60-more.yaml <<-'END'
		providers:
		  more: {base_url: "http://127.0.0.1:18743/v1", dialect: openai-chat, models: [later]}
	END
	check 'good settings are taken' systemctl reload llmux
	check 'they are in force' within 3 answers later 'heard None'
	check 'a stream from before goes on meanwhile' no grep -qF '[DONE]' "$scratch/stream"
	check 'it is the same process' test "$(pid)" = "$process"
	check 'the stream reaches its end' wait "$first"
	check 'and is whole' test "$(grep -c '"content"' "$scratch/stream") $(grep -cF 'data: [DONE]' "$scratch/stream")" = '40 1'
}

bad_settings_are_kept_out() {
	say 'bad settings'
	local process
	process=$(pid)
	printf 'providers:\n  more: {base_ur: "http://127.0.0.1:18743/v1"}\n' >/etc/llmux/conf.d/70-bad.yaml
	mark
	check 'systemctl reload fails' no systemctl reload llmux
	check 'the journal names file, line and column' within 5 logged '/etc/llmux/conf\.d/70-bad\.yaml:2:10: '
	check 'the old settings stay in force' answers later 'heard None'
	mark
	check 'a bare SIGHUP' systemctl kill --kill-whom=main --signal=HUP llmux
	check 'is answered in the journal with file, line and column' within 5 logged '/etc/llmux/conf\.d/70-bad\.yaml:2:10: '
	check 'and counted' within 5 metric 'llmux_config_reload_total{result="failed"} 1.0'
	check 'the old settings stay in force' answers later 'heard None'
	check 'it is the same process' test "$(pid)" = "$process"
	rm /etc/llmux/conf.d/70-bad.yaml
	check 'without them it reloads again' systemctl reload llmux
	check 'which is counted too' within 5 metric 'llmux_config_reload_total{result="ok"} 2.0'
}

metric() { # LINE
	curl --silent --max-time 5 "$llmux/metrics" | grep -qxF "$1"
}

keys_change_with_a_restart() {
	say 'keys'
	check 'a key from the credentials goes out' answers over-plain 'heard Bearer sk-site'
	echo 'sk-other' >/etc/llmux/credentials/site
	check 'a restart' restart
	check 'brings a changed one' answers over-plain 'heard Bearer sk-other'
}

client_keys_from_credentials() {
	say 'client keys from credentials'
	echo 'a-key-of-a-client' >/etc/llmux/credentials/client
	echo 'api_keys: [{credential: client}]' >/etc/llmux/conf.d/65-clients.yaml
	check 'they are asked for after a restart' restart
	check 'who shows none is sent away' no answers over-plain heard
	check 'the check before a reload sees them, too' systemctl reload llmux
	check 'again' systemctl reload llmux
	rm /etc/llmux/conf.d/65-clients.yaml /etc/llmux/credentials/client
	check 'they go with a restart' restart
	check 'and nobody needs one' answers over-plain heard
}
