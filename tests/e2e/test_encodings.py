"""Files that are not UTF-8."""

import pytest
from test_lines import append, found, messages
from wherry import OK, base_config

TEXT = ["first", "gr\u00fc\u00dfe", "\u20ac \u0a0d\u0d0a\u010a\u0a41", "\U0001d11e clef", "last"]


def encoded(lines, codec, end="\n", mark=b""):
    """The bytes of a file, and where each line begins."""
    data, offsets = mark, [0]
    for line in lines:
        data += (line + end).encode(codec)
        offsets.append(len(data))
    return data, offsets[:-1]


@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["lf", "crlf"])
@pytest.mark.parametrize("option, codec, mark", [
    ("utf-16le", "utf-16-le", b""), ("utf-16le", "utf-16-le", b"\xff\xfe"),
    ("utf-16be", "utf-16-be", b""), ("utf-16be", "utf-16-be", b"\xfe\xff"),
    ("utf-16", "utf-16-le", b"\xff\xfe"), ("utf-16", "utf-16-be", b"\xfe\xff"),
    ("utf-16", "utf-16-le", b""),
])
def test_utf_16(agent, server, tmp_path, option, codec, mark, end):
    """Offsets count bytes of the file; line ends are whole units."""
    log = tmp_path / "a.log"
    data, offsets = encoded(TEXT, codec, end, mark)
    log.write_bytes(data)
    run = agent(base_config(server.url, [log], input__encoding=option)).run_once()
    assert [(o, m) for o, m, _ in found(server)] == list(zip(offsets, TEXT))
    assert run.ledger["read"] == {"bytes": len(data), "lines": len(TEXT)}
    assert run.ledger["documents"]["bad_utf8"] == 0


@pytest.mark.parametrize("option", ["latin1", "iso-8859-1"])
def test_latin_1(agent, server, tmp_path, option):
    log = tmp_path / "a.log"
    text = "".join(chr(c) for c in range(0xa0, 0x100)) + ' "quoted" \\'
    log.write_bytes(("x\n" + text + "\r\n").encode("latin-1"))
    run = agent(base_config(server.url, [log], input__encoding=option)).run_once()
    assert found(server) == [(0, "x", None), (2, text, None)]
    assert run.ledger["documents"]["bad_utf8"] == 0


def test_unpaired_surrogates_are_replaced_and_counted(agent, server, tmp_path):
    log = tmp_path / "a.log"
    log.write_bytes("<\ud834>\n<\udd1e>\n<\U0001d11e>\n".encode("utf-16-le", "surrogatepass"))
    run = agent(base_config(server.url, [log], input__encoding="utf-16le")).run_once()
    assert messages(server) == ["<\ufffd>", "<\ufffd>", "<\U0001d11e>"]
    assert run.ledger["documents"]["bad_utf8"] == 2


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_byte_order_is_read_again_on_resume(agent, server, tmp_path, codec):
    log = tmp_path / "a.log"
    append(log, "\ufeffone\n".encode(codec))
    one = agent(base_config(server.url, [log], input__encoding="utf-16"))
    one.run_once()
    append(log, "two\n".encode(codec))
    one.run_once()
    assert found(server) == [(0, "one", None), (10, "two", None)]
    assert server.duplicates == 0


def test_units_that_come_in_halves(agent, server, tmp_path):
    """The mark, a character and the newline, a byte at a time."""
    log = tmp_path / "a.log"
    data = "\ufeffab\u0a0a\nc\n".encode("utf-16-be")
    one = agent(base_config(server.url, [tmp_path / "*.log"], input__encoding="utf-16"))
    one.start()
    for n in range(len(data)):
        append(log, data[n:n + 1])
        if n % 3 == 0:
            (tmp_path / "s.log").touch()
    server.wait_docs(2)
    assert messages(server) == ["ab\u0a0a", "c"] and one.stop() == OK


def test_long_lines_of_two_byte_units(agent, server, tmp_path):
    """Cut at the limit, in step at the next newline; an odd limit is rounded to a unit."""
    log = tmp_path / "a.log"
    lines = ["\u0a0a" * 5000, "next", "x" * 50, "y" * 51]
    log.write_bytes(encoded(lines, "utf-16-le")[0])
    run = agent(base_config(server.url, [log], input__encoding="utf-16le",
                            input__max_bytes=101)).run_once()
    assert [(m, f) for _, m, f in found(server)] == [
        ("\u0a0a" * 50, ["truncated"]), ("next", None), ("x" * 50, None),
        ("y" * 50, ["truncated"])]
    assert run.ledger["read"]["bytes"] == log.stat().st_size


def test_last_line_of_half_a_unit(agent, server, tmp_path):
    """What is no whole unit waits for the other half."""
    log = tmp_path / "a.log"
    log.write_bytes("one\ntwo".encode("utf-16-le") + b"x")
    one = agent(base_config(server.url, [log], input__encoding="utf-16le"))
    one.run_once()
    append(log, b"\0\n\0")
    one.run_once()
    assert messages(server) == ["one", "two", "x"]


def test_each_input_has_its_own(agent, server, tmp_path):
    config = base_config(server.url, [tmp_path / "u8.log"])
    for name, codec in (("utf-16le", "utf-16-le"), ("latin1", "latin-1")):
        (tmp_path / (name + ".log")).write_bytes("\u00fc\n".encode(codec) * 1000)
        config["inputs"].append({"paths": [str(tmp_path / (name + ".log"))], "encoding": name})
    (tmp_path / "u8.log").write_bytes("\u00fc\n".encode() * 1000)
    agent(config).run_once()
    assert len(server.docs) == 3000 and set(server.messages()) == {"\u00fc"}


def test_unknown_encoding_is_a_mistake(agent, server, tmp_path):
    one = agent(base_config(server.url, [tmp_path / "a.log"], input__encoding="ebcdic"))
    code, _, err = one.command("test", "config")
    assert code == 2 and "encoding" in err and "utf-16le" in err
