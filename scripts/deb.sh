#!/bin/sh
# make deb: from a checkout, or from sources without one, to dist/llmux_VERSION_ARCHITECTURE.deb.
# Builds in a copy, so that nothing is left behind here but wheelhouse/ and dist/.
set -eu
cd "$(dirname "$0")/.."

say() {
	echo "llmux: $*" >&2
}

command -v apt-get >/dev/null || { say "the package is built on Debian 12 or 13"; exit 1; }
if ! dpkg-checkbuilddeps 2>/dev/null; then
	if [ "$(id -u)" != 0 ]; then
		say "install what the build needs with: sudo apt-get build-dep ./"
		exit 1
	fi
	say "installing what the build needs"
	apt-get -q update
	DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends build-dep ./
fi
make --no-print-directory wheelhouse

# Only what the package is made of, so that neither what lies about here nor where "here" is can get into it.
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
mkdir -p "$copy/llmux" dist
tar -c --exclude=__pycache__ --exclude=dropin.cache --exclude=debian/build --exclude=debian/llmux \
	debian docs etc llmux scripts twisted requirements*.lock setup.py pyproject.toml MANIFEST.in README.md CHANGELOG.md LICENSE |
	tar -x --no-same-owner -C "$copy/llmux"
ln -s "$PWD/wheelhouse" "$copy/llmux/wheelhouse"
(cd "$copy/llmux" && dpkg-buildpackage -us -uc -b)
built=$(basename "$copy"/llmux_*.deb)
mv "$copy"/llmux_* dist
echo "$PWD/dist/$built"
