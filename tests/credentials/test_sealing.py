from __future__ import annotations

import stat
from pathlib import Path

from twisted.trial.unittest import TestCase

from llmux.credentials.sealing import kept_key, state_folder


class SealingTests(TestCase):
    """The key that is made where none is configured."""

    def setUp(self) -> None:
        self.home = Path(self.mktemp())

    def test_kept_for_its_owner_alone(self) -> None:
        key, why = kept_key({"HOME": str(self.home)})
        path = self.home / ".local" / "state" / "llmux" / "seal.key"
        self.assertEqual((path.read_bytes(), why), (key, ""))
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(path.parent.stat().st_mode), 0o700)
        self.assertEqual(kept_key({"HOME": str(self.home)}), (key, ""))
        self.assertEqual(list(path.parent.iterdir()), [path])

    def test_mode_is_mended(self) -> None:
        kept_key({"HOME": str(self.home)})
        path = self.home / ".local" / "state" / "llmux" / "seal.key"
        path.chmod(0o644)
        kept_key({"HOME": str(self.home)})
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)

    def test_service_managers_folder_comes_first(self) -> None:
        folder = self.home / "state"
        environ = {"STATE_DIRECTORY": f"{folder}:/elsewhere", "HOME": str(self.home), "XDG_STATE_HOME": "/nowhere"}
        key, _ = kept_key(environ)
        self.assertEqual((folder / "seal.key").read_bytes(), key)

    def test_a_broken_file_is_replaced(self) -> None:
        folder = self.home / "state"
        folder.mkdir(parents=True)
        (folder / "seal.key").write_bytes(b"short")
        key, why = kept_key({"STATE_DIRECTORY": str(folder)})
        self.assertEqual(((folder / "seal.key").read_bytes(), why), (key, ""))

    def test_nowhere_to_keep_it(self) -> None:
        self.assertIsNone(state_folder({}))
        one, why = kept_key({})
        self.assertIn("HOME", why)
        self.assertNotEqual(one, kept_key({})[0])
        self.home.write_text("a file where a folder should be")
        self.assertIn("seal.key", kept_key({"STATE_DIRECTORY": str(self.home / "below")})[1])
