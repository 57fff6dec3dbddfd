# What the package leaves and what it keeps, in the life after its installation. Sourced after calls.sh; `packages` names the
# folder with old.deb and new.deb, which differ in their version and in what every conffile ends with.

quietly() { # COMMAND...: what it prints is of interest only when it fails
	"$@" >"$scratch/said" 2>&1 || { cat "$scratch/said"; return 1; }
}

apt() { # WORDS...: apt-get, heard of only when it fails; nobody is there to ask
	DEBIAN_FRONTEND=noninteractive quietly apt-get --yes "$@" </dev/null
}

export -f apt quietly # commands of other programs use it too
export scratch

put() { # FILE OPTION...
	file=$1
	shift
	apt "$@" install "$packages/$file"
}

installed() { # FILE: what is installed is that package
	[ "$(dpkg-query --show --showformat='${db:Status-Status} ${Version}' llmux)" = \
		"installed $(dpkg-deb --field "$packages/$1" Version)" ]
}

changed() { # FILE: its end is the new package's
	[ "$(tail -n 1 "$1")" = '# the new package' ]
}

like() { # FILE OWNER:GROUP MODE
	[ "$(stat --format '%U:%G %a' "$1")" = "$2 $3" ] || { stat "$1"; return 1; }
}

processes() { # the numbers of all processes of the user llmux
	for status in /proc/[0-9]*/status; do
		grep -qs "^Uid:[[:space:]]*$(id -u llmux)[[:space:]]" "$status" && basename "${status%/status}"
	done
}

dead_links() { # of the package
	local file
	for file in $(dpkg-query --listfiles llmux); do
		[ ! -L "$file" ] || [ -e "$file" ] || echo "$file"
	done
}

leftovers() { # whatever is named after it or belongs to it, outside of what brought it here
	find / -xdev \( -path /proc -o -path /sys -o -path /run/systemd -o -path "$here" -o -path "$scratch" \) -prune \
		-o \( -name '*llmux*' -o -user llmux -o -group llmux \) -print
}

none() { # COMMAND...: it prints nothing
	printed=$("$@")
	[ -z "$printed" ] || { printf '%s\n' "$printed"; return 1; }
}

files_that_nobody_edited_are_new() {
	check 'llmux.yaml, which nobody edited, is the new one' changed /etc/llmux/llmux.yaml
	check 'with owner and mode as before' like /etc/llmux/llmux.yaml root:llmux 640
}

upgrade_of_an_edited_file() {
	say 'upgrade, llmux.yaml edited'
	echo '# edited here' >>/etc/llmux/llmux.yaml
	check 'the new version installs' put new.deb -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold
	check 'it is the new version' installed new.deb
	check 'the edited file stays' grep -qx '# edited here' /etc/llmux/llmux.yaml
	check 'the new one lies beside it' changed /etc/llmux/llmux.yaml.dpkg-dist
	check 'a file that nobody edited is the new one' changed /etc/logrotate.d/llmux
}

remove() {
	say 'remove'
	check 'it goes' apt remove llmux
	check 'no process is left' none processes
	check 'nothing is left in /usr/lib/llmux' test ! -e /usr/lib/llmux
	check 'settings and credentials stay' test -f /etc/llmux/llmux.yaml -a -f /etc/llmux/conf.d/site.yaml -a -f /etc/llmux/credentials/site
}

purge() {
	say 'purge'
	check 'it goes' apt purge llmux
	check 'nothing is left' none leftovers
	check 'but the user' getent passwd llmux
}
