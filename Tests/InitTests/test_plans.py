"""Plans that are damaged: refused whole, never a crash."""

import random

from harness import *


def expect_bad(data, **options):
    result = run(data, flags=0, **options)
    assert result.failure() == (-1, "EBADMSG", "") and result.status == 1, result


def test_damaged_plans_are_refused():
    good = plan([step("SESSION"), step("HOSTNAME", [], ["x"])])
    expect_bad(good, seal=False)
    expect_bad(good[:-8])
    expect_bad(good + b"\0" * 8)
    expect_bad(b"\0" + good[1:])
    expect_bad(good[:8])
    for position, value in ((4, 7), (8, 9), (8, 1), (12, 1 << 30), (16, 0), (16, 9999), (20, 15), (20, 1 << 31),
                            (24, 99), (28, 1)):
        expect_bad(good[:position] + struct.pack("<I", value) + good[position + 4:])
    expect_bad(plan([step("HOSTNAME", [], ["a\0b"])]))
    expect_bad(plan([step("HOSTNAME", [], ["a", "b"])]))
    expect_bad(plan([step("AWAIT")]))


def test_random_damage_never_crashes():
    random.seed(1)
    good = bytearray(plan([step("DEVICE", [1, 2, 3, 4, 5, 6, 7], ["/dev/x"]), step("MASK", [], ["/x"]),
                           step("EXEC", [0, 0], ["a\0b", "c\0d"])]))
    # A first step that always fails keeps the others from being done.
    guard = step("JOIN", [99, 0])
    for _ in range(150):
        body = bytearray(good[16:])
        for _ in range(random.randint(1, 4)):
            body[random.randrange(len(body))] = random.choice([0, 1, 7, 8, 127, 128, 255, random.randrange(256)])
        data = struct.pack("<IIII", 0x73757061, 16 + len(guard) + len(body), 4, 0) + guard + body
        result = run(bytes(data), flags=0)
        assert result.failure()[1] in ("EBADMSG", "EBADF") and result.status == 1, result


def test_slots_are_checked():
    for slot in (0, -1, 1 << 40):
        assert run([step("JOIN", [slot, 0])], flags=0).failure() == (0, "EBADF", "")


def test_bad_arguments_of_the_program():
    for arguments in ([], ["2"], ["x"], ["99999999999"], ["3", "4"]):
        assert subprocess.run(["apus-init", *arguments], executable=IMAGE).returncode == 1
