"""Downloads from a server on this machine: verified, resumed, refused with a remedy."""

from __future__ import annotations

import errno
import hashlib
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from engine.core.errors import DataError
from engine.data.fetch import fetch, fetch_file
from engine.data.files import missing
from engine.data.table import DataSet, File

CONTENT = bytes(range(256)) * 9000


class Server(ThreadingHTTPServer):
    """Serves CONTENT; what it does wrong is set by the test."""

    sends: bytes = CONTENT
    status = 0
    knows_ranges = True
    breaks_off_after = -1
    asked: list[str]

    def handle_error(self, *words: object) -> None:
        """Say nothing: clients hang up here."""


class Answers(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        server = self.server
        wanted = self.headers.get("Range", "")
        server.asked.append(wanted)
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and server.knows_ranges else 0
        self.send_response(server.status or (206 if start else 200))
        self.send_header("Content-Length", str(len(server.sends) - start))
        self.end_headers()
        body = server.sends[start:]
        self.wfile.write(body if server.breaks_off_after < 0 else body[: server.breaks_off_after])

    def log_message(self, *words: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server(("127.0.0.1", 0), Answers)
    server.asked = []
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "numbers"


def file_of(server: Server, name: str = "numbers.bin") -> File:
    return File(
        name, f"http://127.0.0.1:{server.server_port}/{name}", len(CONTENT), hashlib.sha256(CONTENT).hexdigest()
    )


def test_a_file_arrives_whole_and_progress_is_told(server: Server, folder: Path) -> None:
    told: list[tuple[str, int, int]] = []
    path = fetch_file(file_of(server), folder, lambda *here: told.append(here))
    assert path.read_bytes() == CONTENT
    assert told[0] == ("numbers.bin", 0, len(CONTENT)) and told[-1] == ("numbers.bin", len(CONTENT), len(CONTENT))
    assert list(folder.iterdir()) == [path]


def test_a_download_that_was_cut_off_goes_on_where_it_stopped(server: Server, folder: Path) -> None:
    server.breaks_off_after = 1_000_000
    with pytest.raises(DataError) as raised:
        fetch_file(file_of(server), folder)
    assert "goes on where it stopped" in raised.value.remedy
    assert not (folder / "numbers.bin").exists()
    kept = (folder / ".numbers.bin.part").stat().st_size
    assert kept > 0
    server.breaks_off_after = -1
    assert fetch_file(file_of(server), folder).read_bytes() == CONTENT
    assert server.asked == ["", f"bytes={kept}-"]


def test_a_server_without_ranges_sends_all_again(server: Server, folder: Path) -> None:
    folder.mkdir()
    (folder / ".numbers.bin.part").write_bytes(CONTENT[:500])
    server.knows_ranges = False
    assert fetch_file(file_of(server), folder).read_bytes() == CONTENT


def test_a_wrong_file_is_refused_and_not_kept(server: Server, folder: Path) -> None:
    server.sends = CONTENT[:-1] + b"!"
    with pytest.raises(DataError, match="checksum"):
        fetch_file(file_of(server), folder)
    assert list(folder.iterdir()) == []


def test_not_a_byte_more_than_there_should_be_is_taken(server: Server, folder: Path) -> None:
    server.sends = CONTENT + b"and more" * 10**6
    with pytest.raises(DataError, match="more than"):
        fetch_file(file_of(server), folder)
    assert (folder / ".numbers.bin.part").stat().st_size <= len(CONTENT)


def test_a_refusal_is_told_with_its_number(server: Server, folder: Path) -> None:
    server.status = 404
    with pytest.raises(DataError, match="404"):
        fetch_file(file_of(server), folder)


def test_without_a_connection_the_remedy_names_the_place(folder: Path) -> None:
    file = File("numbers.bin", "http://127.0.0.1:9/numbers.bin", 10, "0" * 64)
    with pytest.raises(DataError) as raised:
        fetch_file(file, folder)
    assert str(folder / "numbers.bin") in raised.value.remedy


@pytest.mark.parametrize("where", ["urllib.request.urlopen", "http.client.HTTPResponse.read"])
@pytest.mark.parametrize(
    "broken", [ssl.SSLEOFError(8, "EOF in violation of protocol"), OSError(errno.EHOSTUNREACH, "No route to host")]
)
def test_a_line_that_breaks_is_no_fault_of_the_disk(
    server: Server, folder: Path, monkeypatch: pytest.MonkeyPatch, where: str, broken: OSError
) -> None:
    def breaks(*words: object, **named: object) -> None:
        raise broken

    monkeypatch.setattr(where, breaks)
    with pytest.raises(DataError, match="could not be loaded") as raised:
        fetch_file(file_of(server), folder)
    assert str(broken.strerror) in raised.value.what and "Go online" in raised.value.remedy


def test_a_disk_that_takes_nothing_is_told_as_such(server: Server, folder: Path) -> None:
    folder.mkdir()
    (folder / ".numbers.bin.part").mkdir()
    with pytest.raises(DataError, match="could not be written"):
        fetch_file(file_of(server), folder)


def test_only_what_is_missing_is_loaded(server: Server, home: Path) -> None:
    files = (file_of(server, "a.bin"), file_of(server, "b.bin"))
    row = DataSet(
        name="numbers",
        title="Numbers",
        kind="table",
        summary="",
        license="",
        citation="",
        files=files,
        folder="numbers",
    )
    place = home / "data" / "numbers"
    place.mkdir(parents=True)
    (place / "a.bin").write_bytes(CONTENT)
    assert missing(row) == [files[1]]
    assert fetch(row) == [place / "b.bin"]
    assert missing(row) == []
