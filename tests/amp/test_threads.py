from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from llmux.amp.threads import Threads, sharing

NOW = 1_770_000_000.0


def document(name: str, v: int = 1, text: str = "hello", **more: object) -> dict[str, Any]:
    return {
        "id": name,
        "v": v,
        "created": 1_769_000_000_000,
        "title": f"About {name}",
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": text}], "meta": {"sentAt": 1_769_000_005_000 + v}},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "Read", "input": {}}]},
            {"role": "user", "content": [{"type": "tool_result", "toolUseID": "t1"}], "meta": {"sentAt": 9e14}},
        ],
        **more,
    }


class Keeping(SynchronousTestCase):
    def setUp(self) -> None:
        self.threads = Threads(max_threads=3, max_bytes=100_000)

    def kept(self, name: str, owner: str = "laptop") -> bool:
        return name in [thread.id for thread in self.threads.of(owner)]

    def test_an_upload_comes_back_as_it_was(self) -> None:
        upload = document("T-1", big=12345678901234567890123, half="\ud83d")
        self.threads.put("laptop", upload, NOW)
        thread = self.threads.get("laptop", "T-1")
        assert thread is not None
        self.assertEqual(thread.load(), upload)

    def test_a_thread_of_one_key_is_unknown_to_another(self) -> None:
        self.threads.put("laptop", document("T-1", text="mine"), NOW)
        self.threads.put("desktop", document("T-1", text="yours"), NOW)
        self.assertIsNone(self.threads.get("phone", "T-1"))
        self.assertEqual(self.threads.of("phone"), [])
        mine = self.threads.get("laptop", "T-1")
        assert mine is not None
        self.assertIn(b"mine", mine.document)
        self.assertFalse(self.threads.delete("phone", "T-1"))
        self.assertTrue(self.threads.delete("desktop", "T-1"))
        self.assertIsNotNone(self.threads.get("laptop", "T-1"))

    def test_an_upload_that_comes_late_changes_nothing(self) -> None:
        self.threads.put("laptop", document("T-1", v=5, text="new"), NOW)
        self.threads.put("laptop", document("T-1", v=4, text="old"), NOW)
        self.threads.put("laptop", document("T-1", v=5, text="same version"), NOW)
        thread = self.threads.get("laptop", "T-1")
        assert thread is not None
        self.assertIn(b"same version", thread.document)
        self.assertEqual(len(self.threads), 1)

    def test_the_longest_unused_goes_when_there_are_too_many(self) -> None:
        for name in ("T-1", "T-2", "T-3"):
            self.threads.put("laptop", document(name), NOW)
        self.threads.get("laptop", "T-1")
        self.threads.of("laptop")
        self.threads.put("laptop", document("T-4"), NOW)
        self.assertEqual([self.kept(name) for name in ("T-1", "T-2", "T-3", "T-4")], [True, False, True, True])

    def test_the_longest_unused_go_when_they_weigh_too_much(self) -> None:
        self.threads.put("laptop", document("T-1", text="x" * 40_000), NOW)
        self.threads.put("laptop", document("T-2", text="x" * 40_000), NOW)
        self.threads.put("laptop", document("T-3", text="x" * 70_000), NOW)
        self.assertEqual([self.kept(name) for name in ("T-1", "T-2", "T-3")], [False, False, True])
        self.assertLess(self.threads.bytes, 100_000)

    def test_one_that_is_too_large_alone_is_not_kept_and_evicts_nobody(self) -> None:
        self.threads.put("laptop", document("T-1"), NOW)
        self.threads.put("laptop", document("T-2", v=1), NOW)
        self.threads.put("laptop", document("T-2", v=2, text="x" * 200_000), NOW)
        self.assertEqual([self.kept("T-1"), self.kept("T-2")], [True, False])

    def test_the_count_of_bytes_returns_to_nothing(self) -> None:
        for v in range(5):
            self.threads.put("laptop", document("T-1", v=v, text="x" * 100 * v), NOW)
        self.threads.delete("laptop", "T-1")
        self.assertEqual((len(self.threads), self.threads.bytes), (0, 0))

    def test_an_amendment_survives_an_upload_that_does_not_know_of_it(self) -> None:
        self.threads.put("laptop", document("T-1"), NOW)
        thread = self.threads.get("laptop", "T-1")
        assert thread is not None
        self.threads.amend("laptop", thread, {"meta": {"visibility": "public_unlisted"}}, NOW)
        self.threads.put("laptop", document("T-1", v=2), NOW)
        self.assertEqual(sharing(self.threads.get("laptop", "T-1")), {"visibility": "public_unlisted", "sharedGroupIDs": []})
        self.threads.put("laptop", document("T-1", v=3, meta={"visibility": "private"}), NOW)
        self.assertEqual(sharing(self.threads.get("laptop", "T-1"))["visibility"], "private")

    def test_a_list_shows_what_a_person_said_and_when(self) -> None:
        self.threads.put("laptop", document("T-1", env={"initial": {}}), NOW)
        (thread,) = self.threads.of("laptop")
        self.assertEqual(
            thread.entry,
            {
                "id": "T-1",
                "v": 1,
                "created": 1_769_000_000_000,
                "title": "About T-1",
                "userLastInteractedAt": 1_769_000_005_001,
                "messageCount": 1,
                "summaryStats": {"messageCount": 1},
                "env": {"initial": {}},
            },
        )

    def test_the_last_spoken_in_comes_first(self) -> None:
        for name, v in (("T-1", 1), ("T-2", 3), ("T-3", 2)):
            self.threads.put("laptop", document(name, v=v), NOW)
        self.assertEqual([thread.id for thread in self.threads.of("laptop")], ["T-2", "T-3", "T-1"])

    def test_odd_shapes_do_no_harm(self) -> None:
        odd: list[dict[str, Any]] = [
            {"id": "T-1"},
            {"id": "T-1", "v": True, "created": -1, "title": 5, "messages": 3, "meta": "x"},
            {"id": "T-1", "created": 1e300, "messages": [None, {"role": "user"}, {"role": "user", "content": [1, "x"]}]},
            {"id": "T-1", "messages": [{"role": "user", "content": "plain text", "meta": {"sentAt": "now"}}]},
        ]
        for upload in odd:
            self.threads.put("laptop", upload, NOW)
            (thread,) = self.threads.of("laptop")
            self.assertEqual(thread.entry["created"], NOW * 1000)
            self.assertEqual(sharing(thread), {"visibility": "private", "sharedGroupIDs": []})
