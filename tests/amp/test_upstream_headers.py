from twisted.trial.unittest import SynchronousTestCase

from llmux.amp.upstream_headers import request_headers, strip_query


class HeadersForTheUpstream(SynchronousTestCase):
    def test_every_credential_of_the_client_is_removed(self) -> None:
        headers = [(name, b"client") for name in (b"authorization", b"x-api-key", b"x-goog-api-key", b"api-key")]
        self.assertEqual(request_headers(headers, None), [])

    def test_the_secret_goes_in_both_headers(self) -> None:
        headers = [(b"authorization", b"Bearer client"), (b"accept", b"*/*")]
        self.assertEqual(
            request_headers(headers, " sgamp_1 "),
            [(b"accept", b"*/*"), (b"x-api-key", b"sgamp_1"), (b"authorization", b"Bearer sgamp_1")],
        )

    def test_a_blank_secret_is_no_credential(self) -> None:
        for secret in (None, "", "  "):
            self.assertEqual(request_headers([(b"x-api-key", b"client")], secret), [])

    def test_the_way_and_the_fingerprints_are_removed(self) -> None:
        for name in (
            *(b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto", b"x-forwarded-port", b"x-real-ip", b"forwarded"),
            *(b"via", b"x-title", b"x-stainless-lang", b"x-stainless-package-version", b"x-stainless-os", b"x-stainless-arch"),
            *(b"x-stainless-runtime", b"x-stainless-runtime-version", b"http-referer", b"referer", b"sec-ch-ua"),
            *(b"sec-ch-ua-mobile", b"sec-ch-ua-platform", b"sec-fetch-mode", b"sec-fetch-site", b"sec-fetch-dest", b"priority"),
            *(b"accept-encoding", b"host", b"content-length", b"expect", b"x-llmux-anything", b"x-scenario-name"),
        ):
            self.assertEqual(request_headers([(name, b"x")], None), [], name)

    def test_what_amp_says_travels(self) -> None:
        headers = [
            (b"user-agent", b"node"),
            (b"cookie", b"session=1"),
            (b"origin", b"http://localhost"),
            (b"x-stainless-timeout", b"600"),
            (b"x-stainless-retry-count", b"0"),
            (b"x-amp-client-version", b"1"),
            (b"anthropic-beta", b"context-1m-2025-08-07"),
            (b"content-encoding", b"gzip"),
            (b"x-request-id", b"r1"),
        ]
        self.assertEqual(request_headers(headers, None), headers)

    def test_headers_of_this_connection_stay_here(self) -> None:
        headers = [
            (b"connection", b"keep-alive, X-Private"),
            (b"x-private", b"1"),
            (b"keep-alive", b"timeout=5"),
            (b"te", b"trailers"),
            (b"transfer-encoding", b"chunked"),
            (b"upgrade", b"h2c"),
            (b"accept", b"*/*"),
        ]
        self.assertEqual(request_headers(headers, None), [(b"accept", b"*/*")])

    def test_a_header_of_any_name_that_repeats_a_client_key_is_removed(self) -> None:
        headers = [(b"x-custom", b"token=lk-1;"), (b"x-other", b"lk-2")]
        self.assertEqual(request_headers(headers, None, [b"lk-1", b""]), [(b"x-other", b"lk-2")])

    def test_repeated_headers_keep_their_order(self) -> None:
        headers = [(b"cookie", b"a"), (b"x-b", b"1"), (b"cookie", b"c")]
        self.assertEqual(request_headers(headers, None), headers)


class QueryForTheUpstream(SynchronousTestCase):
    def test_only_the_clients_own_key_is_removed(self) -> None:
        self.assertEqual(strip_query(b"a=1&key=lk-1&auth_token=lk-1&b=2", [b"lk-1"]), b"a=1&b=2")
        self.assertEqual(strip_query(b"key=other&auth_token=another&key=lk-1", [b"lk-1"]), b"key=other&auth_token=another")

    def test_the_whole_value_must_match(self) -> None:
        for query in (b"key=lk-11", b"key=xlk-1", b"key=LK-1", b"key=", b"key", b"Key=lk-1", b"q=lk-1"):
            self.assertEqual(strip_query(query, [b"lk-1"]), query)

    def test_an_encoded_key_is_recognised(self) -> None:
        self.assertEqual(strip_query(b"key=lk%2d1&x=%2d", [b"lk-1"]), b"x=%2d")
        self.assertEqual(strip_query(b"%6bey=lk-1", [b"lk-1"]), b"")

    def test_a_plus_is_read_both_ways(self) -> None:
        self.assertEqual(strip_query(b"key=a+b", [b"a+b"]), b"")
        self.assertEqual(strip_query(b"key=a+b", [b"a b"]), b"")

    def test_the_bare_method_survives(self) -> None:
        self.assertEqual(strip_query(b"getUserInfo", [b"lk-1"]), b"getUserInfo")
        self.assertEqual(strip_query(b"getUserInfo&key=lk-1", [b"lk-1"]), b"getUserInfo")

    def test_everything_else_is_byte_for_byte_the_same(self) -> None:
        for query in (b"", b"&&", b"b=2&a=1&b=1", b"x=%7e%7E&y=+%20", b"a==b&=c&%zz=%", b"a;key=lk-1", "ü=ß".encode()):
            self.assertEqual(strip_query(query, [b"lk-1"]), query)

    def test_a_caller_without_a_key_changes_nothing(self) -> None:
        self.assertEqual(strip_query(b"key=a&auth_token=", []), b"key=a&auth_token=")
        self.assertEqual(strip_query(b"key=&auth_token=", [b""]), b"key=&auth_token=")
