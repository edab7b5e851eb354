"""Webhook calls over real sockets: what is stored, what is answered, and in which order."""

from __future__ import annotations

import socket
import threading

import pytest

from tests.sync.web.face import HOOK, DecidedStore, read_all, running, sign, unavailable


def test_a_call_is_acknowledged_only_after_its_commit() -> None:
    store = DecidedStore(commit_at_once=False)
    answers: list[tuple[int, str]] = []
    with running(store, store_seconds=30.0) as face:
        caller = threading.Thread(target=lambda: answers.append(face.hook()))
        caller.start()
        assert store.arrived.wait(10)
        # The store has the receipt and has not committed it: the face answers others, and not this one.
        assert face.call("GET", "/health")[0] == 200
        assert answers == []
        assert face.rings == []
        store.commit()
        caller.join(10)
        assert answers == [(202, "")]
        assert face.rings == ["inbox"]


def test_a_stored_call_has_its_connection_id_time_and_packed_body() -> None:
    store = DecidedStore()
    with running(store) as face:
        assert face.hook(b'{"ticket": 7}', "call-7") == (202, "")
    (row,) = store.stored
    assert row["connection_id"] == 1
    assert row["call_id"] == "call-7"
    assert row["body"] == b'{"body": "{\\"ticket\\": 7}"}'
    assert row["received_at"].tzinfo is not None


@pytest.mark.parametrize(
    ("headers", "body", "status", "text"),
    [
        ({}, b"{}", 401, "the signature does not match the body\n"),
        ({"x-signature": sign(b"{ }"), "x-call-id": "1"}, b"{}", 401, "the signature does not match the body\n"),
        ({"x-signature": sign(b""), "x-call-id": "1"}, b"", 400, "the body is empty\n"),
    ],
)
def test_a_rejected_call_stores_nothing(headers: dict[str, str], body: bytes, status: int, text: str) -> None:
    store = DecidedStore()
    with running(store) as face:
        assert face.call("POST", HOOK, body, headers)[:2] == (status, text)
        assert [event for event, _ in face.events] == ["webhook_rejected"]
    assert store.rows == []


def test_an_unknown_connection_is_not_found_and_its_name_is_no_label() -> None:
    with running(DecidedStore()) as face:
        assert face.call("POST", "/hooks/nobody", b"{}")[0] == 404
        assert b'hypercare_webhooks_total{answer="404",connection=""} 1.0' in face.metrics.text()
        assert b"nobody" not in face.metrics.text()


def test_only_post_is_taken() -> None:
    with running(DecidedStore()) as face:
        status, _, headers = face.call("GET", HOOK)
        assert (status, headers["allow"]) == (405, "POST")


def test_a_body_at_the_limit_is_taken_and_one_byte_more_is_not() -> None:
    store = DecidedStore()
    with running(store, body_limit=1000) as face:
        assert face.hook(b"x" * 1000)[0] == 202
        assert face.hook(b"x" * 1001) == (413, "the body is larger than 1000 bytes\n")
    assert len(store.stored) == 1


def test_a_body_is_refused_by_its_declared_length_before_it_is_sent() -> None:
    with running(DecidedStore()) as face, face.connect() as sock:
        sock.sendall(b"POST /hooks/support HTTP/1.1\r\nhost: x\r\ncontent-length: 50000000\r\n\r\n")
        assert read_all(sock).startswith(b"HTTP/1.1 413 ")


def test_a_chunked_body_over_the_limit_is_refused_and_the_connection_closed() -> None:
    store = DecidedStore()
    with running(store, body_limit=1000) as face, face.connect() as sock:
        sock.sendall(b"POST /hooks/support HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n")
        sock.sendall(b"1f4\r\n" + b"x" * 500 + b"\r\n" + b"1f5\r\n" + b"x" * 501 + b"\r\n")
        assert read_all(sock).startswith(b"HTTP/1.1 413 ")
    assert store.rows == []


def test_a_body_in_pieces_is_put_together() -> None:
    store = DecidedStore()
    body = b"y" * 3000
    with running(store) as face, face.connect() as sock:
        head = f"POST {HOOK} HTTP/1.1\r\nhost: x\r\nx-signature: {sign(body)}\r\nx-call-id: a\r\nconnection: close\r\n"
        sock.sendall(head.encode() + b"content-length: 3000\r\n\r\n" + body[:1000])
        assert face.call("GET", "/health")[0] == 200  # the loop has had a turn between the pieces
        sock.sendall(body[1000:])
        assert read_all(sock).startswith(b"HTTP/1.1 202 ")
    assert len(store.stored) == 1


def test_a_store_that_refuses_is_answered_503_with_a_time_to_come_back() -> None:
    store = DecidedStore()
    store.refuse = unavailable()
    with running(store) as face:
        status, text, headers = face.call("POST", HOOK, b"{}", {"x-signature": sign(b"{}"), "x-call-id": "1"})
        assert (status, headers["retry-after"]) == (503, "5")
        assert text == "the store is not available; please send it again\n"
        assert face.rings == []


def test_a_commit_that_fails_is_answered_503() -> None:
    store = DecidedStore(commit_at_once=False)
    answers: list[tuple[int, str]] = []
    with running(store, store_seconds=30.0) as face:
        caller = threading.Thread(target=lambda: answers.append(face.hook()))
        caller.start()
        assert store.arrived.wait(10)
        store.fail(unavailable())
        caller.join(10)
        assert answers == [(503, "the store is not available; please send it again\n")]


def test_a_store_that_hangs_is_answered_503_in_time_and_refused_at_once_until_it_answers() -> None:
    store = DecidedStore(commit_at_once=False)
    with running(store, store_seconds=0.05) as face:
        assert face.hook(call_id="1")[0] == 503
        assert face.hook(call_id="2")[0] == 503
        assert [row["call_id"] for row in store.rows] == ["1"]  # the second was not even handed over
        store.commit_at_once = True
        store.commit()
        assert face.hook(call_id="3")[0] == 202


def test_an_error_of_our_own_is_answered_500_and_told() -> None:
    store = DecidedStore()
    store.refuse = KeyError("call_id")
    with running(store) as face:
        assert face.hook() == (500, "internal error; nothing was stored, please send it again\n")
        assert [event for event, _ in face.events] == ["internal_error"]


def test_calls_of_many_senders_at_once_are_all_stored() -> None:
    store = DecidedStore()
    body = b"{}"
    call = (
        f"POST {HOOK} HTTP/1.1\r\nhost: x\r\nx-signature: {sign(body)}\r\nx-call-id: %d\r\n"
        f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
    )
    with running(store) as face:
        socks = [face.connect() for _ in range(16)]
        for number, sock in enumerate(socks):
            sock.sendall((call % number).encode() + body)
        assert all(read_all(sock).startswith(b"HTTP/1.1 202 ") for sock in socks)
        for sock in socks:
            sock.close()
    assert sorted(row["call_id"] for row in store.stored) == sorted(str(number) for number in range(16))


def test_a_connection_is_kept_for_the_next_call() -> None:
    store = DecidedStore()
    body = b"{}"
    head = f"POST {HOOK} HTTP/1.1\r\nhost: x\r\nx-signature: {sign(body)}\r\nx-call-id: a\r\ncontent-length: 2\r\n\r\n"
    with running(store) as face, face.connect() as sock:
        for _ in range(3):
            sock.sendall(head.encode() + body)
            assert sock.recv(4096).startswith(b"HTTP/1.1 202 ")
    assert len(store.rows) == 3


def test_calls_sent_ahead_are_answered_in_order() -> None:
    body = b"{}"
    head = f"POST {HOOK} HTTP/1.1\r\nhost: x\r\nx-signature: {sign(body)}\r\nx-call-id: a\r\ncontent-length: 2\r\n"
    last = head + "connection: close\r\n"
    with running(DecidedStore()) as face, face.connect() as sock:
        sock.sendall((head.encode() + b"\r\n" + body) * 3 + last.encode() + b"\r\n" + body)
        assert read_all(sock).count(b"HTTP/1.1 202 ") == 4


def test_a_sender_that_hangs_up_leaves_nothing_behind() -> None:
    store = DecidedStore()
    with running(store) as face:
        sock = face.connect()
        sock.sendall(b"POST /hooks/support HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nabc")
        sock.shutdown(socket.SHUT_RDWR)
        sock.close()
        assert face.hook()[0] == 202
        assert face.events == []
    assert len(store.rows) == 1
    assert face.door.total == 0
