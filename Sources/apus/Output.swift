internal import Engine
internal import Linux
internal import Options

/// Standard output.
enum Output {
    /// Writes all of a text; an output that cannot be written is a failure of the verb.
    static func write(_ text: String) throws(Failure) {
        try write(Array(text.utf8))
    }

    static func write(_ bytes: [UInt8]) throws(Failure) {
        do throws(Errno) {
            try BorrowedHandle.standardOutput.writeAll(bytes)
        } catch {
            throw Failure("write to standard output", error)
        }
    }

    /// Writes what goes before an error that counts more.
    static func tryWrite(_ text: String) {
        do throws(Failure) {
            try write(text)
        } catch {}
    }

    /// Rows in columns of at least 12 characters, with three spaces between them.
    ///
    /// Scripts cut `list` by columns; these are the widths they know.
    static func table(_ rows: [[String]], minimum: Int = 12) -> String {
        var widths: [Int] = []
        for row in rows {
            for (index, cell) in row.enumerated() {
                if index == widths.count { widths.append(minimum) }
                widths[index] = max(widths[index], cell.unicodeScalars.count + 3)
            }
        }
        var text = ""
        for row in rows {
            for (index, cell) in row.enumerated() {
                text += cell
                guard index + 1 < row.count else { continue }
                text += Help.spaces(widths[index] - cell.unicodeScalars.count)
            }
            text += "\n"
        }
        return text
    }
}
