"""What a line is: where it ends, what is cut, what becomes of odd bytes on the way."""

import os

import pytest
from waiting import wait_for
from wherry import OK, base_config

BOM = b"\xef\xbb\xbf"


def append(path, data):
    with open(path, "ab") as f:
        f.write(data)


def found(server):
    """[(offset, message, flags)] in the order of the offsets."""
    return sorted(((d["log"]["offset"], d["message"], d["log"].get("flags"))
                   for d in server.documents()), key=lambda d: d[0])


def wait_read(server, directory, seen=[0]):
    """Returns when a line written now has arrived: what was written before it was read too."""
    seen[0] += 1
    text = "sentinel %d" % seen[0]
    append(directory / ("sentinel%d.log" % seen[0]), text.encode() + b"\n")
    wait_for(lambda: text in server.messages(), what=text)


def messages(server):
    return [m for _, m, _ in found(server) if not m.startswith("sentinel")]


def test_nothing_but_line_ends(agent, server, tmp_path):
    log = tmp_path / "a.log"
    log.write_bytes(b"\n\r\n\n\r\n\n")
    run = agent(base_config(server.url, [log])).run_once()
    assert not server.docs
    assert run.ledger["skipped"]["reasons"] == {"empty": {"bytes": 7, "lines": 5}}


def test_line_that_grows_byte_by_byte_is_one_document(agent, server, tmp_path):
    """Through characters of several bytes, its CR and its newline."""
    log = tmp_path / "a.log"
    one = agent(base_config(server.url, [tmp_path / "*.log"])).start()
    line = "grüße, 5 €, 𝄞".encode() + b"\r\n"
    for n in range(len(line)):
        append(log, line[n:n + 1])
        if n % 4 == 0:
            wait_read(server, tmp_path)
            assert not messages(server)
    wait_for(lambda: messages(server), what="the line")
    assert messages(server) == ["grüße, 5 €, 𝄞"]
    assert one.stop() == OK
    assert one.ledger["documents"]["bad_utf8"] == 0


def test_line_finished_by_a_later_life_is_one_document(agent, server, tmp_path):
    log = tmp_path / "a.log"
    append(log, b"whole\nhal")
    one = agent(base_config(server.url, [tmp_path / "*.log"])).start()
    server.wait_docs(1)
    assert one.stop() == OK
    append(log, b"f and ")
    one.start()
    wait_read(server, tmp_path)
    one.kill()
    append(log, b"half\n")
    one.start()
    wait_for(lambda: len(messages(server)) == 2, what="the line")
    assert found(server)[-1] == (6, "half and half", None)
    assert messages(server) == ["whole", "half and half"] and one.stop() == OK


def test_line_finished_after_the_rename_is_one_document(agent, server, tmp_path):
    """By the writer who has the file open; the new file begins with a line of its own."""
    log = tmp_path / "a.log"
    with open(log, "wb", buffering=0) as late:
        late.write(b"first half gr\xc3")
        one = agent(base_config(server.url, [tmp_path / "a.log", tmp_path / "s*.log"])).start()
        wait_read(server, tmp_path)
        os.rename(log, tmp_path / "a.log.1")
        append(log, b"of the new file\n")
        late.write(b"\xbc\xc3\x9fe\n")
        wait_for(lambda: len(messages(server)) == 2, what="both lines")
    assert sorted(messages(server)) == ["first half gr\u00fc\u00dfe", "of the new file"]
    assert one.stop() == OK
    assert one.ledger["documents"]["bad_utf8"] == 0


def test_lines_around_the_borders_of_reads(agent, server, tmp_path):
    """Ends, CRs and characters at each place around a multiple of the size of a read."""
    log = tmp_path / "a.log"
    want = []
    with open(log, "wb") as f:
        for n in range(-6, 7):
            for end in (b"\n", b"\r\n"):
                border = (f.tell() // (256 << 10) + 1) * (256 << 10)
                text = "x" * (border - f.tell() + n - 4) + "\u20ac\u00fc"
                f.write(text.encode() + end)
                want.append(text)
                want.append("next %d" % n)
                f.write(b"next %d" % n + end)
    run = agent(base_config(server.url, [log])).run_once()
    assert messages(server) == want
    assert run.ledger["documents"]["bad_utf8"] == 0


def test_byte_order_mark_is_no_text(agent, server, tmp_path):
    """At the start of a file; elsewhere it is a character like others."""
    log = tmp_path / "a.log"
    log.write_bytes(BOM + b"first\n" + BOM + b"second\n")
    (tmp_path / "b.log").write_bytes(BOM + b"\r\n")
    run = agent(base_config(server.url, [tmp_path / "*.log"])).run_once()
    assert found(server) == [(0, "first", None), (9, "\ufeffsecond", None)]
    assert run.ledger["read"] == {"bytes": 9 + 10 + 5, "lines": 3}


def test_mark_written_before_its_line(agent, server, tmp_path):
    log = tmp_path / "a.log"
    append(log, BOM[:2])
    one = agent(base_config(server.url, [tmp_path / "*.log"])).start()
    wait_read(server, tmp_path)
    append(log, BOM[2:] + b"text")
    wait_read(server, tmp_path)
    append(log, b"\n")
    wait_for(lambda: messages(server), what="the line")
    assert messages(server) == ["text"] and one.stop() == OK


def test_restart_within_an_oversize_line(agent, server, tmp_path):
    """Its rest is still no line of its own."""
    log = tmp_path / "a.log"
    append(log, b"before\n" + b"x" * 5000)
    one = agent(base_config(server.url, [tmp_path / "*.log"], input__max_bytes="1KiB")).start()
    server.wait_docs(2)
    assert one.stop() == OK
    append(log, b"x" * 5000)
    one.start()
    wait_read(server, tmp_path)
    assert one.stop() == OK
    append(log, b"x\nafter\n")
    one.start()
    wait_for(lambda: len(messages(server)) == 3, what="the last line")
    assert [(o, len(m), f) for o, m, f in found(server) if not m.startswith("sentinel")] == [
        (0, 6, None), (7, 1024, ["truncated"]), (10009, 5, None)]
    assert server.duplicates == 0 and one.stop() == OK


def test_oversize_line_that_is_written_slowly(agent, server, tmp_path):
    """It is cut as soon as it is too long, and only once."""
    log = tmp_path / "a.log"
    one = agent(base_config(server.url, [tmp_path / "*.log"], input__max_bytes="4KiB")).start()
    for n in range(20):
        append(log, b"%04d" % n * 250)
        if n % 5 == 4:
            wait_read(server, tmp_path)
            assert [len(m) for m in messages(server)] == [4096]
    append(log, b"\nafter\n")
    wait_for(lambda: len(messages(server)) == 2, what="the next line")
    assert messages(server)[1] == "after" and one.stop() == OK
    assert one.ledger["skipped"]["reasons"]["oversize_tail"]["bytes"] == 20 * 1000 - 4096 + 1


def test_limit_that_is_met_exactly(agent, server, tmp_path):
    log = tmp_path / "a.log"
    log.write_bytes(b"a" * 64 + b"\n" + b"b" * 65 + b"\n" + b"c" * 63 + b"\r\n" + b"d\n")
    agent(base_config(server.url, [log], input__max_bytes=64)).run_once()
    assert [(m[0], len(m), f) for _, m, f in found(server)] == [
        ("a", 64, None), ("b", 64, ["truncated"]), ("c", 63, None), ("d", 1, None)]


def test_flush_timeout_of_an_oversize_line(agent, server, tmp_path):
    """What was cut is not sent again by the timer."""
    log = tmp_path / "a.log"
    append(log, b"x" * 300)
    one = agent(base_config(server.url, [tmp_path / "*.log"], input__max_bytes=100,
                            input__line_flush_timeout="50ms")).start()
    server.wait_docs(1)
    append(log, b"y" * 50)
    wait_read(server, tmp_path)
    append(log, b"\nprompt> ")
    wait_for(lambda: "prompt> " in messages(server), what="the unfinished line")
    assert messages(server) == ["x" * 100, "prompt> "] and one.stop() == OK


@pytest.mark.parametrize("text", [
    "\x1b[1;31mred\x1b[0m \x07\x08", "\u2028 and \u2029", 'a "quoted" \\ text\\', "\\u0000 \\n \\",
    "</script><!--", "\ud7ff\ue000\ufffe\uffff\U0010ffff", "\x7f\x80\x9f\u200b\u202e",
], ids=["escapes", "separators", "quotes", "backslashes", "markup", "edges", "controls"])
def test_characters_that_need_care(agent, server, tmp_path, text):
    log = tmp_path / "a.log"
    log.write_bytes((text + "\nnext\n").encode())
    run = agent(base_config(server.url, [log])).run_once()
    assert messages(server) == [text, "next"]
    assert run.ledger["documents"]["bad_utf8"] == 0


@pytest.mark.parametrize("bad", ["eda080edb080", "c0af", "f5808080", "eda0bd", "e282"])
def test_invalid_bytes_are_replaced_and_counted(agent, server, tmp_path, bad):
    """Surrogates, overlong forms, numbers beyond Unicode, a character that is cut by the line."""
    log = tmp_path / "a.log"
    log.write_bytes(b"<" + bytes.fromhex(bad) + b">\n")
    run = agent(base_config(server.url, [log])).run_once()
    (message,) = messages(server)
    want = bytes.fromhex(bad).decode("utf-8", "replace")
    assert message == "<" + want + ">"
    assert run.ledger["documents"]["bad_utf8"] == want.count("\ufffd")


def test_names_that_look_like_paths_and_json(agent, server, tmp_path):
    logs = os.fsencode(tmp_path / "logs")
    names = [b'"},"_index":"evil","x":{".log', b"x..%2f..%2fetc.log", b"x...log", b"a\nb\r.log",
             b"\xe2\x80\xa8.log", b"\xed\xa0\x80.log", b"%s%n{}.log", b"w" * 251 + b".log"]
    os.mkdir(logs)
    for n, name in enumerate(names):
        with open(os.path.join(logs, name), "wb") as f:
            f.write(b"%d\n" % n)
    run = agent(base_config(server.url, [tmp_path / "logs" / "*.log"])).run_once()
    got = {int(d["message"]): d["log"]["file"]["path"] for d in server.documents()}
    assert got == {n: os.path.join(logs, name).decode("utf-8", "replace")
                   for n, name in enumerate(names)}
    assert {index for index, _ in server.docs} == {"logs-generic-default"}
    assert run.ledger["acknowledged"]["lines"] == len(names)
