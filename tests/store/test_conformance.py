"""What every store promises (`holdfast.store.store`), asked of each driver and each wrapper alike."""

import threading
from collections.abc import Callable, Iterator

import pytest

from holdfast import codes
from holdfast.errors import ConflictError, CorruptionError, NotFoundError
from holdfast.store.store import Store, check_name

LARGE = bytes(range(256)) * 12_000  # 3 MB: more than one read, more than one page


def listing(store: Store, prefix: str = "") -> list[tuple[str, int]]:
    return [(found.name, found.size_bytes) for found in store.list(prefix)]


@pytest.mark.parametrize("form", [bytes, bytearray, memoryview])
@pytest.mark.parametrize("data", [b"", b"x", LARGE], ids=["empty", "tiny", "large"])
def test_object_put_is_got(store: Store, data: bytes, form: type) -> None:
    store.put("folder/inner/object", form(data))
    assert store.get("folder/inner/object") == data
    assert store.stat("folder/inner/object") == len(data)
    assert listing(store) == [("folder/inner/object", len(data))]


def test_put_replaces(store: Store) -> None:
    store.put("a", b"old and longer")
    store.put("a", b"new")
    assert store.get("a") == b"new"
    assert listing(store) == [("a", 3)]


def test_put_new_never_replaces(store: Store) -> None:
    store.put_new("f/a", b"first")
    with pytest.raises(ConflictError, match="f/a exists"):
        store.put_new("f/a", b"second")
    assert store.get("f/a") == b"first"
    assert listing(store) == [("f/a", 5)]


def test_of_many_who_put_new_one_wins(store: Store) -> None:
    won: list[int] = []
    start = threading.Barrier(6)

    def contend(number: int) -> None:
        start.wait()
        try:
            store.put_new("f/claim", b"%d" % number)
            won.append(number)
        except ConflictError:
            pass

    threads = [threading.Thread(target=contend, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert store.get("f/claim") == b"%d" % won[0]


@pytest.mark.parametrize(
    ("offset", "size"),
    [(0, None), (0, 0), (0, 5), (3, 4), (3, None), (8, 10), (10, None), (10, 3), (99, None), (99, 5)],
)
def test_range_is_cut_at_the_objects_end(store: Store, offset: int, size: int | None) -> None:
    data = b"0123456789"
    store.put("a", data)
    assert store.get("a", offset, size) == data[offset:][:size]


def test_missing_object_is_not_found(store: Store) -> None:
    store.put("there/x", b"")
    for name in ("absent", "absent/deep/er", "there", "there/y"):
        assert store.stat(name) is None
        for call in (store.get, store.reader):
            with pytest.raises(NotFoundError) as error:
                call(name)
            assert error.value.code == codes.OB_OBJECT_NOT_EXIST
            assert name in error.value.message


def test_listing_is_sorted_by_name_and_recursive(store: Store) -> None:
    names = ["a", "a.b", "a-b", "b/a", "b/b/c", "b/b.c", "b/b0", "b/b-", "c/000010", "c/9", "ä/ö"]
    for name in names:
        store.put(name, name.encode())
    assert listing(store) == [(name, len(name.encode())) for name in sorted(names)]


@pytest.mark.parametrize("prefix", ["", "b", "b/", "b/b", "b/b/", "b/b/c", "c/0", "x", "b/b/cc", "a", "/", "..", "./b"])
def test_prefix_is_of_the_name_not_of_the_folder(store: Store, prefix: str) -> None:
    names = ["a", "b/a", "b/b/c", "b/bb", "bb/c", "c/01"]
    for name in names:
        store.put(name, b"")
    assert [name for name, _ in listing(store, prefix)] == sorted(name for name in names if name.startswith(prefix))


def test_deleting_is_repeatable(store: Store) -> None:
    store.put("f/a", b"1")
    store.put("f/b", b"2")
    for _ in range(2):
        store.delete("f/a")
        store.delete("never/was")
    assert listing(store) == [("f/b", 1)]


def test_deleting_a_folder_by_its_name_deletes_no_object(store: Store) -> None:
    store.put("f/a", b"1")
    store.delete("f")
    assert listing(store) == [("f/a", 1)]


def test_tree_goes_with_everything_below_and_nothing_beside(store: Store) -> None:
    for name in ("s1/manifest.json", "s1/data/1", "s1/data/2", "s10/data/1", "s1x", "other"):
        store.put(name, b"x")
    for _ in range(2):
        store.delete_tree("s1")
        store.delete_tree("other")  # an object, not a folder
        store.delete_tree("absent")
    assert [name for name, _ in listing(store)] == ["other", "s10/data/1", "s1x"]
    store.put("s1/data/1", b"again")
    assert store.get("s1/data/1") == b"again"


def test_written_object_is_invisible_until_committed(store: Store) -> None:
    store.put("f/a", b"old")
    with store.writer("f/a") as writer:
        assert writer.offset == 0
        writer.write(b"new ", bytearray(b"and "), memoryview(b"xlong")[1:], b"")
        assert writer.offset == 12
        writer.write(LARGE)
        assert listing(store) == [("f/a", 3)]
        assert store.get("f/a") == b"old"
        writer.commit()
    assert store.get("f/a") == b"new and long" + LARGE


def test_writer_takes_more_buffers_than_one_system_call_does(store: Store) -> None:
    parts = [b"%d," % number for number in range(3000)]
    with store.writer("a") as writer:
        writer.write(*parts)
        writer.commit()
    assert store.get("a") == b"".join(parts)


def fail_while_writing(store: Store, name: str) -> None:
    with store.writer(name) as writer:
        writer.write(LARGE)
        writer.write(b"x" * (1 // 0))
        writer.commit()


def test_writer_left_without_commit_leaves_nothing(store: Store) -> None:
    with pytest.raises(ZeroDivisionError):
        fail_while_writing(store, "f/a")
    with store.writer("f/b") as writer:
        writer.write(LARGE)
    aborted = store.writer("f/c")
    aborted.abort()
    aborted.abort()
    with pytest.raises(ValueError, match="before"):
        aborted.write(b"x")
    assert listing(store) == []
    assert store.is_empty()


def test_writer_is_done_after_its_commit(store: Store) -> None:
    writer = store.writer("a")
    writer.commit()
    writer.abort()
    with pytest.raises(ValueError, match="before"):
        writer.commit()
    assert store.get("a") == b""


def test_buffer_may_be_used_again_after_a_write(store: Store) -> None:
    buffer = bytearray(b"one")
    with store.writer("a") as writer, store.appender("b", 0) as appender:
        for content in (b"one", b"two"):
            buffer[:] = content
            writer.write(buffer)
            appender.append(buffer)
        writer.commit()
    assert store.get("a") == store.get("b") == b"onetwo"


def test_what_is_appended_behind_may_be_made_in_one_memory(store: Store) -> None:
    memory = bytearray(3 << 20)

    def made() -> Iterator[bytearray]:
        for number in range(4):
            memory[:] = bytes((number,)) * len(memory)
            yield memory

    with store.appender("log", 0) as appender:
        appender.append(b"head", behind=made())
        assert appender.size_bytes == 4 + 4 * len(memory)
    assert store.get("log") == b"head" + b"".join(bytes((number,)) * len(memory) for number in range(4))


def test_appended_object_is_visible_and_grows(store: Store) -> None:
    with store.appender("f/log", 0) as appender:
        assert store.get("f/log") == b""
        appender.append(b"one", memoryview(b"two"))
        assert appender.size_bytes == 6
        assert store.get("f/log") == b"onetwo"
        appender.append(LARGE)
    assert store.get("f/log") == b"onetwo" + LARGE
    with pytest.raises(ValueError, match="before"):
        appender.append(b"more")


def test_appender_goes_on_at_the_size_that_counts(store: Store) -> None:
    with store.appender("log", 0) as appender:
        appender.append(b"durable")
        appender.append(b"torn")
    with store.appender("log", 7) as appender:
        assert appender.size_bytes == 7
        assert store.get("log") == b"durable"
        appender.append(b" next")
    assert store.get("log") == b"durable next"
    store.appender("log", 0).close()
    assert store.get("log") == b""


def test_appender_that_its_check_refuses_cuts_nothing_and_holds_nothing(store: Store) -> None:
    with store.appender("log", 0) as appender:
        appender.append(b"of a successor")

    def refuse() -> None:
        raise ConflictError("the round goes on without this one")

    with pytest.raises(ConflictError, match="goes on without"):
        store.appender("log", 3, refuse)
    assert store.get("log") == b"of a successor"
    with store.appender("log", 14) as appender:
        appender.append(b", goes on")
    assert store.get("log") == b"of a successor, goes on"


def test_appender_refuses_an_object_that_lost_bytes(store: Store) -> None:
    store.put("log", b"short")
    for name in ("log", "absent/log"):
        with pytest.raises(CorruptionError, match="expected at least 6 bytes") as error:
            store.appender(name, 6)
        assert error.value.code == codes.OB_OBJECT_STORAGE_PWRITE_OFFSET_NOT_MATCH
    assert listing(store) == [("log", 5)]


def test_one_object_has_one_appender_at_a_time(store: Store) -> None:
    with store.appender("log", 0) as appender:
        appender.append(b"mine")
        with pytest.raises(ConflictError, match="another process"):
            store.appender("log", 0)
        assert store.get("log") == b"mine"
        store.appender("other", 0).close()
    appender.close()
    store.appender("log", 4).close()


def test_reader_reads_any_range_and_fills_buffers(store: Store) -> None:
    store.put("a", LARGE)
    with store.reader("a") as reader:
        assert reader.size_bytes == len(LARGE)
        for offset, size in ((0, 10), (len(LARGE) - 5, 10), (len(LARGE), 4), (len(LARGE) + 9, 4), (1000, 2_000_000)):
            assert reader.read(offset, size) == LARGE[offset : offset + size]
            buffer = bytearray(b"?" * size)
            count = reader.read_into(offset, buffer)
            assert buffer == LARGE[offset : offset + size] + b"?" * (size - count)
    with pytest.raises(ValueError, match="before"):
        reader.read(0, 1)


def test_reader_keeps_its_object_when_that_is_replaced(store: Store) -> None:
    store.put("a", b"old")
    with store.reader("a") as reader:
        store.put("a", b"new!")
        assert reader.read(0, 10) == b"old"


def test_store_is_empty_until_there_is_an_object(store: Store) -> None:
    assert store.is_empty()
    store.put("f/a", b"")
    assert not store.is_empty()
    store.delete("f/a")
    assert store.is_empty()
    store.appender("f/log", 0).close()
    assert not store.is_empty()
    store.delete_tree("f")
    assert store.is_empty()


BAD_NAMES = [
    "",
    "/etc/passwd",
    "a//b",
    "a/",
    "../a",
    "a/../../b",
    "a/..",
    ".",
    "a/./b",
    "a\0b",
    "a\nb",
    "\ud800",
    ".holdfast-tmp/x",
    ".holdfast-tmp",
    "x" * 256,
    "x/" * 600 + "x",
]


@pytest.mark.parametrize("name", BAD_NAMES, ids=range(len(BAD_NAMES)))
def test_name_that_could_leave_the_destination_is_refused_by_every_call(store: Store, name: str) -> None:
    calls: list[Callable[[], object]] = [
        lambda: check_name(name),
        lambda: store.put(name, b""),
        lambda: store.put_new(name, b""),
        lambda: store.get(name),
        lambda: store.reader(name),
        lambda: store.stat(name),
        lambda: store.delete(name),
        lambda: store.delete_tree(name),
        lambda: store.writer(name),
        lambda: store.appender(name, 0),
    ]
    for call in calls:
        with pytest.raises(ValueError):
            call()
    assert store.is_empty()


def test_threads_put_and_list_side_by_side(store: Store) -> None:
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for turn in range(8):
                store.put(f"shared/{number}/{turn}", b"x" * turn)
                store.put("shared/one", b"%d" % number * 100)
                assert len(set(store.get("shared/one"))) == 1
                assert ("shared/one", 100) in listing(store)
        except BaseException as error:  # noqa: BLE001 - told by the main thread
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert len(listing(store)) == 33
