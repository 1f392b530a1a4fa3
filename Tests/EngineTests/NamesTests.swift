import Testing

@testable import Engine

@Suite("Container ids")
struct ContainerIDTests {
    @Test("that are legal", arguments: ["a", "A_b+c.d-9", "...", ".a", "-x"])
    func legal(_ id: String) {
        #expect(ContainerID.isValid(id))
    }

    @Test("that are not", arguments: ["", ".", "..", "a/b", "a b", "ä", "a\0", "a\n", "@locks"])
    func illegal(_ id: String) {
        #expect(!ContainerID.isValid(id))
        #expect(throws: Failure.self) { try ContainerID.validate(id) }
    }

    @Test("are at most a file name long")
    func length() {
        #expect(ContainerID.isValid(String(repeating: "a", count: 255)))
        #expect(!ContainerID.isValid(String(repeating: "a", count: 256)))
    }
}

@Suite("Paths")
struct PathTests {
    @Test("of a bundle are made plain, and .. is left to the kernel")
    func bundle() {
        #expect(Bundle.normalized("/a//b/./c/") == "/a/b/c")
        #expect(Bundle.normalized("/a/../b") == "/a/../b")
        #expect(Bundle.normalized("//") == "/")
    }

    @Test("of a pid file are split into directory and name")
    func split() {
        #expect(PidFile.split("pid") == (".", "pid"))
        #expect(PidFile.split("/pid") == ("/", "pid"))
        #expect(PidFile.split("/a/b/pid") == ("/a/b", "pid"))
    }
}

@Suite("Root directory")
struct RootTests {
    @Test("is the system's for root, the user's own for others")
    func choice() throws {
        var settings = Settings()
        settings.runtimeDirectory = "/run/user/7"
        settings.workingDirectory = "/w"
        #expect(try Runtime.chooseRoot(settings, effectiveUser: 0) == "/run/apus")
        #expect(try Runtime.chooseRoot(settings, effectiveUser: 7) == "/run/user/7/apus")
        let nested = try Runtime.chooseRoot(settings, effectiveUser: 0, inUserNamespace: true)
        #expect(nested == "/run/user/7/apus")
        settings.userName = "root"
        let machine = try Runtime.chooseRoot(settings, effectiveUser: 0, inUserNamespace: true)
        #expect(machine == "/run/apus")
        settings.runtimeDirectory = nil
        #expect(try Runtime.chooseRoot(settings, effectiveUser: 7) == "/tmp/apus-7")
        settings.root = "r"
        #expect(try Runtime.chooseRoot(settings, effectiveUser: 7) == "/w/r")
    }

    @Test("is never the root of the file system", arguments: ["/", "//", ""])
    func refused(_ root: String) {
        var settings = Settings()
        settings.root = root
        #expect(throws: Failure.self) {
            try Runtime.chooseRoot(settings, effectiveUser: 0)
        }
    }
}
