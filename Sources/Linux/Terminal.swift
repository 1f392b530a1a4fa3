internal import CLinux

/// The size of a terminal, in characters and in pixels.
package struct WindowSize: Equatable {
    package let rows: UInt16
    package let columns: UInt16
    package let width: UInt16
    package let height: UInt16

    package init(rows: UInt16, columns: UInt16, width: UInt16 = 0, height: UInt16 = 0) {
        self.rows = rows
        self.columns = columns
        self.width = width
        self.height = height
    }
}

/// The settings of a terminal as they were (tcgetattr(3)).
package struct TerminalSettings {
    private var saved = apus_terminal()

    /// ENOTTY where the handle is no terminal.
    package init(of terminal: borrowing some Handle & ~Copyable) throws(Errno) {
        let raw = terminal.raw
        _ = try check(unsafe apus_terminal_get(raw, &saved))
    }

    /// tcsetattr(3): puts these settings back.
    package func restore(to terminal: borrowing some Handle & ~Copyable) throws(Errno) {
        var settings = saved
        let raw = terminal.raw
        _ = try retrying { unsafe apus_terminal_set(raw, &settings) }
    }

    /// Puts the terminal into raw mode (cfmakeraw(3)), starting from these settings.
    package func makeRaw(_ terminal: borrowing some Handle & ~Copyable) throws(Errno) {
        var settings = saved
        let raw = terminal.raw
        _ = try retrying { unsafe apus_terminal_raw(raw, &settings) }
    }
}

extension Handle where Self: ~Copyable {
    /// isatty(3).
    package var isTerminal: Bool { apus_is_terminal(raw) == 1 }

    /// Lets newlines through as they are, not as CR and NL (ONLCR of termios(3)).
    package func setPlainNewlines() throws(Errno) {
        _ = try check(apus_terminal_plain_newlines(raw))
    }

    /// TIOCGWINSZ.
    package func windowSize() throws(Errno) -> WindowSize {
        var rows: UInt16 = 0
        var columns: UInt16 = 0
        var width: UInt16 = 0
        var height: UInt16 = 0
        _ = try check(unsafe apus_window_get(raw, &rows, &columns, &width, &height))
        return WindowSize(rows: rows, columns: columns, width: width, height: height)
    }

    /// TIOCSWINSZ: resizes, and tells the programs of the terminal (SIGWINCH).
    package func setWindowSize(_ size: WindowSize) throws(Errno) {
        _ = try check(apus_window_set(raw, size.rows, size.columns, size.width, size.height))
    }
}
