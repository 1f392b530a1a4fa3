import Testing

@testable import Options

@Suite("Quantities")
struct QuantityTests {
    @Test(
        "sizes",
        arguments: [
            ("0", 0), ("268435456", 268_435_456), ("256M", 268_435_456), ("256MiB", 268_435_456),
            ("256m", 268_435_456), ("1k", 1024), ("1KiB", 1024), ("1.5g", 1_610_612_736),
            ("0.5K", 512), ("-1", -1), ("2T", 2_199_023_255_552), ("512b", 512),
            ("9223372036854775807", .max), ("", nil), ("M", nil), ("1X", nil), ("-5", nil),
            ("1.2.3", nil), ("1 M", nil), ("9223372036854775808", nil),
            ("9223372036854775807K", nil),
            (".5M", nil), ("99999999999999999999999", nil), ("8388608T", nil), ("+1", nil),
        ] as [(String, Int64?)])
    func sizes(text: String, bytes: Int64?) {
        #expect(Quantity.size(text) == bytes)
    }

    @Test(
        "CPUs",
        arguments: [
            ("1", 100_000), ("0.5", 50_000), ("2", 200_000), ("1.25", 125_000), ("0.01", 1000),
            ("0.001", nil), ("0", nil), ("x", nil), ("1x", nil), ("-1", nil), ("", nil),
        ] as [(String, Int64?)])
    func cpus(text: String, quota: Int64?) {
        #expect(Quantity.cpuQuota(text) == quota)
    }

    @Test(
        "times",
        arguments: [
            ("5s", 5000), ("500ms", 500), ("1m30s", 90_000), ("1.5s", 1500), ("2h", 7_200_000),
            ("5", nil), ("s", nil), ("", nil), ("5d", nil),
        ] as [(String, Int64?)])
    func times(text: String, milliseconds: Int64?) {
        #expect(Quantity.milliseconds(text) == milliseconds)
    }

    @Test(
        "identifiers",
        arguments: [
            ("0", 0), ("1000", 1000), ("4294967295", 4_294_967_295), ("4294967296", nil),
            ("-1", nil), ("+1", nil), (" 1", nil), ("1 ", nil), ("", nil), ("0x10", nil),
            ("١", nil),
        ] as [(String, UInt32?)])
    func identifiers(text: String, value: UInt32?) {
        #expect(Quantity.identifier(text) == value)
    }

    @Test(
        "signals",
        arguments: [
            ("9", 9), ("KILL", 9), ("SIGKILL", 9), ("sigkill", 9), ("term", 15), ("0", 0),
            ("64", 64), ("65", nil), ("SIGRTMIN", 34), ("RTMIN+3", 37), ("RTMAX-1", 63),
            ("RTMAX", 64), ("RTMIN+31", nil), ("RTMIN-1", nil), ("RTMIN+", nil), ("POLL", 29),
            ("SIG", nil), ("", nil), ("BOGUS", nil), ("-9", nil), ("SIGSIGKILL", nil),
        ] as [(String, Int32?)])
    func signals(text: String, number: Int32?) {
        #expect(SignalName.number(of: text) == number)
    }
}
