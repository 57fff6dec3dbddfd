import gzip
import json
from typing import Any
from xml.etree import ElementTree

from twisted.trial.unittest import SynchronousTestCase

from llmux.amp.control_plane import ROUTES, ControlPlane
from llmux.amp.replies import Reply
from llmux.amp.threads import Threads

NOW = 1_770_000_000.0
THREAD = "T-5928a90d-d53b-488f-a829-4e36442142ee"


def thread(v: int = 1, text: str = "hello", **more: object) -> dict[str, Any]:
    return {
        "id": THREAD,
        "v": v,
        "created": 1_769_000_000_000,
        "title": "Greeting",
        "messages": [{"role": "user", "content": [{"type": "text", "text": text}]}],
        **more,
    }


class Case(SynchronousTestCase):
    def setUp(self) -> None:
        self.plane = ControlPlane()

    def ask(self, method: str, path: str, query: str = "", body: object = b"", owner: str = "laptop", now: float = NOW) -> Reply:
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        reply = self.plane.answer(method, path, query, sent, owner, now)
        assert reply is not None, path
        return reply

    def read(self, *args: Any, **more: Any) -> Any:
        reply = self.ask(*args, **more)
        self.assertEqual(reply.status, 200)
        self.assertEqual(dict(reply.headers)["content-type"], "application/json")
        return json.loads(reply.body)

    def call(self, method: str, params: object = None, owner: str = "laptop", now: float = NOW) -> Any:
        body = {"method": method, "params": params or {}}
        return self.read("POST", "/api/internal", method, body, owner=owner, now=now)

    def result(self, method: str, params: object = None, owner: str = "laptop") -> Any:
        answer = self.call(method, params, owner)
        self.assertTrue(answer["ok"], answer)
        return answer["result"]

    def failure(self, method: str, params: object = None, owner: str = "laptop") -> Any:
        answer = self.call(method, params, owner)
        self.assertFalse(answer["ok"], answer)
        self.assertTrue(answer["error"]["message"])
        return answer["error"]["code"]


class TheMethod(Case):
    def test_is_taken_from_the_bare_query_as_amp_writes_it(self) -> None:
        for query in ("getUserInfo", "getUserInfo=", "getUserInfo&auth_token=k", "%67etUserInfo", "method=getUserInfo"):
            self.assertTrue(self.read("POST", "/api/internal", query, {"params": {}})["ok"], query)

    def test_is_taken_from_the_body_when_the_query_has_none(self) -> None:
        for query in ("", "auth_token=k"):
            self.assertTrue(self.read("POST", "/api/internal", query, {"method": "getUserInfo"})["ok"], query)

    def test_in_the_query_beats_the_one_in_the_body(self) -> None:
        answer = self.read("POST", "/api/internal", "getUserFreeTierStatus", {"method": "getUserInfo"})
        self.assertIn("canUseAmpFree", answer["result"])

    def test_needs_no_body(self) -> None:
        self.assertTrue(self.read("POST", "/api/internal", "getUserInfo")["ok"])

    def test_that_is_unknown_is_refused_with_status_200(self) -> None:
        self.assertEqual(self.failure("webSearch2"), "unknown-method")

    def test_missing_everywhere_is_a_bad_request(self) -> None:
        nameless: list[Any] = [{}, {"method": 5}, {"params": {}}]
        for body in nameless:
            self.assertEqual(self.ask("POST", "/api/internal", "", body).status, 400)

    def test_with_a_body_that_is_no_json_object_is_a_bad_request(self) -> None:
        for body in (b"{", b"\xff", b"[]", b"null", b"\x1f\x8bbroken", b"[" * 100_000):
            reply = self.ask("POST", "/api/internal", "getUserInfo", body)
            self.assertEqual(reply.status, 400, body[:10])
            self.assertTrue(json.loads(reply.body)["error"])

    def test_with_odd_params_does_no_harm(self) -> None:
        odd: list[Any] = [None, [], "x", 5]
        for params in odd:
            self.assertTrue(self.read("POST", "/api/internal", "getUserInfo", {"params": params})["ok"])

    def test_may_come_gzipped_as_amp_sends_what_is_long(self) -> None:
        body = gzip.compress(json.dumps({"method": "uploadThread", "params": {"thread": thread(text="x" * 30_000)}}).encode())
        self.assertTrue(self.read("POST", "/api/internal", "uploadThread", body)["ok"])
        self.assertIn("x" * 30_000, json.dumps(self.result("getThread", {"thread": THREAD})))


class TheAccount(Case):
    def test_has_what_amp_reads_of_it(self) -> None:
        info = self.result("getUserInfo")
        self.assertTrue(info["id"] and info["email"])
        self.assertEqual((info["features"], info["team"]), ([], None))
        self.assertEqual(self.result("getUser")["id"], info["id"])

    def test_keeps_its_id_over_a_restart(self) -> None:
        before = self.result("getUserInfo")["id"]
        self.plane = ControlPlane()
        self.assertEqual(self.result("getUserInfo")["id"], before)

    def test_is_another_for_another_key(self) -> None:
        self.assertNotEqual(self.result("getUserInfo")["id"], self.result("getUserInfo", owner="desktop")["id"])

    def test_can_be_configured(self) -> None:
        self.plane = ControlPlane({"id": "me", "email": "me@example.org", "features": [{"name": "x", "enabled": True}]})
        info = self.result("getUserInfo")
        self.assertEqual((info["id"], info["email"], len(info["features"])), ("me", "me@example.org", 1))
        self.assertEqual(self.read("GET", "/api/user")["email"], "me@example.org")

    def test_switches_no_internal_feature_on_by_its_address(self) -> None:
        self.assertFalse(self.result("getUserInfo")["email"].endswith(("@sourcegraph.com", "@ampcode.com")))

    def test_has_no_free_tier_and_no_credits(self) -> None:
        self.assertEqual(self.result("getUserFreeTierStatus"), {"canUseAmpFree": False, "isDailyGrantEnabled": False})
        self.assertEqual(self.result("getCreditsByRequestId", {"requestId": "r"}), {"credits": 0})
        self.assertIsNone(self.result("threadDisplayCostInfo", {"threadID": THREAD})["totalCostUSD"])
        self.assertTrue(self.result("userDisplayBalanceInfo")["displayText"])

    def test_as_a_profile_has_dates_and_a_plan(self) -> None:
        profile = self.read("GET", "/api/user")
        self.assertEqual(profile["updatedAt"], "2026-02-02T02:40:00.000Z")
        self.assertEqual(profile["plan"]["type"], "free")
        self.assertEqual(profile["subscriptions"], [])

    def test_is_connected_to_no_code_host(self) -> None:
        self.assertEqual(self.read("GET", "/api/internal/github-auth-status"), {"authenticated": False})
        self.assertEqual(self.read("GET", "/api/internal/bitbucket-instance-url"), {"instanceUrl": None})
        self.assertEqual({host["status"] for host in self.read("GET", "/api/connections")}, {"disconnected"})


class AThread(Case):
    def test_that_is_new_is_not_found_as_amp_wants_to_hear_it(self) -> None:
        for method in ("getThread", "getThreadTail", "getThreadLinkInfo", "getThreadLabels"):
            self.assertEqual(self.failure(method, {"thread": THREAD}), "thread-not-found")

    def test_comes_back_as_it_was_uploaded(self) -> None:
        self.assertTrue(self.call("uploadThread", {"thread": thread(), "createdOnServer": False})["ok"])
        self.assertEqual(self.result("getThread", {"thread": THREAD}), {"thread": {"data": thread()}})
        self.assertEqual(self.read("GET", f"/api/threads/{THREAD}"), thread())

    def test_belongs_to_the_key_that_brought_it(self) -> None:
        self.result("uploadThread", {"thread": thread(text="secret words")})
        self.assertEqual(self.failure("getThread", {"thread": THREAD}, owner="desktop"), "thread-not-found")
        self.assertEqual(self.failure("deleteThread", {"thread": THREAD}, owner="desktop"), "thread-not-found")
        self.assertEqual(self.result("listThreads", owner="desktop"), {"threads": []})
        self.assertEqual(self.result("discoverThreads", owner="desktop"), {"threadIDs": []})
        self.assertEqual(self.read("GET", "/api/threads", owner="desktop"), [])
        self.assertEqual(self.read("GET", "/api/threads/find", "q=secret", owner="desktop")["threads"], [])
        for path in (f"/api/threads/{THREAD}", f"/api/threads/{THREAD}.md"):
            self.assertEqual(self.ask("GET", path, owner="desktop").status, 404)

    def test_shows_its_owner_as_the_creator(self) -> None:
        self.result("uploadThread", {"thread": thread(creatorUserID="somebody else")})
        me = self.result("getUserInfo")["id"]
        self.assertEqual(self.result("getThreadLinkInfo", {"thread": THREAD}), {"creatorUserID": me})
        self.assertEqual(self.result("listThreads")["threads"][0]["creatorUserID"], me)

    def test_without_an_id_is_refused(self) -> None:
        odd: list[Any] = [None, [], {}, {"id": 5}]
        for upload in odd:
            self.assertEqual(self.failure("uploadThread", {"thread": upload}), "invalid-params")

    def test_can_be_shared_which_the_next_reading_shows(self) -> None:
        self.result("uploadThread", {"thread": thread()})
        self.result("setThreadMeta", {"thread": THREAD, "meta": {"visibility": "public_unlisted"}})
        data = self.result("getThread", {"thread": THREAD})["thread"]["data"]
        self.assertEqual(data["meta"], {"visibility": "public_unlisted", "sharedGroupIDs": []})
        self.assertEqual(self.read("GET", "/api/threads")[0]["meta"]["visibility"], "public_unlisted")
        self.assertEqual(self.failure("setThreadMeta", {"thread": THREAD, "meta": "private"}), "invalid-params")

    def test_that_is_forgotten_can_be_amended_without_an_error(self) -> None:
        self.result("setThreadMeta", {"thread": THREAD, "meta": {"visibility": "private"}})
        self.result("archiveThread", {"thread": THREAD, "archived": True})
        self.assertEqual(self.failure("getThread", {"thread": THREAD}), "thread-not-found")

    def test_that_is_archived_is_listed_on_request(self) -> None:
        self.result("uploadThread", {"thread": thread()})
        self.result("archiveThread", {"thread": THREAD, "archived": True})
        self.assertEqual(len(self.result("listThreads", {"includeArchived": False})["threads"]), 0)
        self.assertEqual(len(self.result("listThreads", {"includeArchived": True})["threads"]), 1)
        self.assertTrue(self.result("listThreads")["threads"][0]["archived"])
        self.assertEqual(self.read("GET", "/api/threads"), [])

    def test_can_be_deleted(self) -> None:
        self.result("uploadThread", {"thread": thread()})
        self.result("deleteThread", {"thread": THREAD})
        self.assertEqual(self.failure("getThread", {"thread": THREAD}), "thread-not-found")

    def test_keeps_its_labels(self) -> None:
        self.result("uploadThread", {"thread": thread()})
        self.result("setThreadLabels", {"thread": THREAD, "labels": ["b", "a", "b"]})
        self.result("addThreadLabels", {"thread": THREAD, "labels": ["c"]})
        self.result("uploadThread", {"thread": thread(v=2)})
        self.assertEqual([label["name"] for label in self.result("getThreadLabels", {"thread": THREAD})], ["b", "a", "c"])
        self.assertEqual([label["name"] for label in self.result("getUserLabels")], ["a", "b", "c"])
        self.assertEqual(self.failure("setThreadLabels", {"thread": THREAD, "labels": [1]}), "invalid-argument")


class Lists(Case):
    def setUp(self) -> None:
        super().setUp()
        for index in range(25):
            upload = {**thread(text=f"parser number {index}"), "id": f"T-{index:02}", "created": 1_769_000_000_000 + index}
            self.result("uploadThread", {"thread": upload})

    def test_have_the_fields_that_amp_prints(self) -> None:
        entry = self.read("GET", "/api/threads", "createdByUserID=" + self.result("getUserInfo")["id"])[0]
        self.assertEqual(
            {name: entry[name] for name in ("id", "title", "messageCount", "meta", "updatedAt")},
            {
                "id": "T-24",
                "title": "Greeting",
                "messageCount": 1,
                "meta": {"visibility": "private", "sharedGroupIDs": []},
                "updatedAt": "2026-02-02T02:40:00.000Z",
            },
        )

    def test_of_another_persons_threads_are_empty(self) -> None:
        self.assertEqual(self.read("GET", "/api/threads", "createdByUserID=user_x"), [])

    def test_can_be_limited(self) -> None:
        self.assertEqual([entry["id"] for entry in self.result("listThreads", {"limit": 2})["threads"]], ["T-24", "T-23"])
        for limit in (None, 0, -1, "x", 10_000):
            self.assertEqual(len(self.result("listThreads", {"limit": limit})["threads"]), 25)

    def test_can_be_searched_page_by_page(self) -> None:
        first = self.read("GET", "/api/threads/find", "q=parser&limit=20")
        self.assertEqual((len(first["threads"]), first["hasMore"]), (20, True))
        second = self.read("GET", "/api/threads/find", "q=parser&limit=20&offset=20")
        self.assertEqual((len(second["threads"]), second["hasMore"]), (5, False))
        (only,) = self.read("GET", "/api/threads/find", "q=%22number+7%22&limit=x")["threads"]
        self.assertEqual((only["id"], only["matchedSearchText"]), ("T-07", "Greeting parser number 7"))

    def test_that_find_nothing_are_empty(self) -> None:
        self.assertEqual(self.read("GET", "/api/threads/find", "q=absent&limit=20"), {"threads": [], "hasMore": False})

    def test_as_markdown(self) -> None:
        reply = self.ask("GET", "/api/threads/T-03.md", "truncate_tool_results=1")
        self.assertEqual((reply.status, reply.headers[0][1]), (200, "text/markdown; charset=utf-8"))
        self.assertIn("## User\n\nparser number 3\n", reply.body.decode())


class Sync(Case):
    def test_sends_back_only_what_the_client_has_older(self) -> None:
        self.result("uploadThread", {"thread": thread(v=5)})
        for version, actions in ((4, ["download"]), (-1, ["download"]), (5, []), (6, [])):
            answer = self.read("POST", "/api/threads/sync", body={"threadVersions": [{"id": THREAD, "v": version}]})
            self.assertEqual([action["action"] for action in answer["threadActions"]], actions, version)

    def test_asks_for_no_upload_of_what_it_never_saw(self) -> None:
        body = {"threadVersions": [{"id": "T-unknown", "v": 1}], "threadMetas": [{"id": "T-unknown"}]}
        private = {"visibility": "private", "sharedGroupIDs": []}
        self.assertEqual(
            self.read("POST", "/api/threads/sync", body=body),
            {"threadActions": [{"id": "T-unknown", "action": "meta", "meta": private}]},
        )

    def test_takes_the_lists_of_old_releases(self) -> None:
        body = {"threadVersions": ["v1", None], "threadMetas": [None]}
        self.assertEqual(self.read("POST", "/api/threads/sync", body=body), {"threadActions": []})

    def test_of_nonsense_is_a_bad_request(self) -> None:
        for body in (b"", b"{", b"[]"):
            self.assertEqual(self.ask("POST", "/api/threads/sync", body=body).status, 400)


class TheRest(Case):
    def test_telemetry_is_counted_and_thrown_away(self) -> None:
        batches: list[Any] = [[], [{}], [{"a": 1}, {}, {}]]
        for events in batches:
            answer = self.read("POST", "/api/telemetry", body=events)
            self.assertEqual(answer, {"message": "ok", "published": len(events)})

    def test_telemetry_that_is_no_array_of_objects_is_refused(self) -> None:
        odd: list[Any] = [{}, "x", [1], [[]]]
        for body in odd:
            self.assertEqual(self.ask("POST", "/api/telemetry", body=body).status, 422)
        self.assertEqual(self.ask("POST", "/api/telemetry", body=b"{").status, 400)

    def test_traces_are_taken_in_json_and_in_protobuf(self) -> None:
        self.assertEqual(self.read("POST", "/api/otel/v1/traces", body={"resourceSpans": []}), {})
        reply = self.ask("POST", "/api/otel/v1/metrics", body=b"\n\x00")
        self.assertEqual((reply.status, reply.headers[0][1], reply.body), (200, "application/x-protobuf", b""))

    def test_errors_are_received(self) -> None:
        self.assertEqual(self.read("POST", "/api/errors", body={"type": "t", "message": "m"}), {"status": "received"})
        self.assertEqual(self.ask("POST", "/api/errors", body=[]).status, 422)

    def test_the_news_are_a_feed_without_items(self) -> None:
        reply = self.ask("GET", "/news.rss")
        self.assertIn("application/rss+xml", reply.headers[0][1])
        feed = ElementTree.fromstring(reply.body)
        channel = feed.find("channel")
        assert channel is not None
        self.assertTrue(all(channel.findtext(name) for name in ("title", "link", "description")))
        self.assertEqual(channel.findall("item"), [])

    def test_there_are_no_ads_plugins_or_skills(self) -> None:
        self.assertEqual(self.read("GET", "/api/ads"), {"ads": []})
        self.assertEqual(self.read("GET", "/api/meta"), {})
        self.assertEqual(self.result("loadPlugins"), {"plugins": []})
        self.assertEqual(self.result("loadSkills"), {"skills": []})


class Paths(Case):
    def test_that_amp_does_not_ask_for_are_the_callers_404(self) -> None:
        for path in (
            *("/", "/api", "/api/tab", "/api/tab/x", "/api/thread-actors", "/api/internal/x", "/api/internal/github-proxy/x"),
            *("/api/telemetry/x", "/api/user/x", "/threads", "/auth/cli-login", "/docs", "/api/threads/a/b", "/news.rss/x"),
        ):
            self.assertIsNone(self.plane.answer("GET", path, "", b"", "laptop", NOW), path)

    def test_trailing_and_doubled_slashes_do_not_matter(self) -> None:
        for path in ("/api/user/", "//api//user", "/api/user//"):
            self.assertEqual(self.ask("GET", path).status, 200)

    def test_an_encoded_slash_stays_inside_its_segment(self) -> None:
        self.assertIsNone(self.plane.answer("GET", "/api%2fuser", "", b"", "laptop", NOW))
        self.assertEqual(self.ask("GET", "/api/threads/a%2Fb").status, 404)
        self.assertEqual(self.ask("GET", "/api/%75ser").status, 200)

    def test_a_wrong_method_is_told_the_right_ones(self) -> None:
        reply = self.ask("DELETE", "/api/threads/T-1")
        self.assertEqual((reply.status, dict(reply.headers)["allow"]), (405, "GET"))
        self.assertEqual(self.ask("GET", "/api/internal").status, 405)

    def test_head_is_answered_as_get(self) -> None:
        self.assertEqual(self.ask("HEAD", "/api/user").status, 200)

    def test_every_route_survives_every_body(self) -> None:
        for pattern, methods, _ in ROUTES:
            path = pattern.replace("{id}", "T-1").replace("*", "v1/traces")
            for method in methods:
                for body in (b"", b"{", b"null", b"[]", b"{}", b'{"params":{"thread":{}}}', b"\x1f\x8b\x08", b"\xff\xfe"):
                    self.assertLess(self.ask(method, path, "getThread", body).status, 500, (path, body))


class Bounds(Case):
    def test_forgets_the_longest_unused_thread(self) -> None:
        self.plane = ControlPlane(threads=Threads(max_threads=2))
        for name in ("T-1", "T-2", "T-3"):
            self.result("uploadThread", {"thread": {**thread(), "id": name}})
        self.assertEqual(self.failure("getThread", {"thread": "T-1"}), "thread-not-found")
        self.assertEqual(len(self.result("listThreads")["threads"]), 2)

    def test_answers_an_upload_that_is_too_large_to_keep(self) -> None:
        self.plane = ControlPlane(threads=Threads(max_bytes=10_000))
        self.result("uploadThread", {"thread": thread(text="x" * 20_000)})
        self.assertEqual(self.failure("getThread", {"thread": THREAD}), "thread-not-found")
