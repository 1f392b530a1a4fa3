extension JSON {
    /// The members of an object, in the order of the text.
    package struct Object: Sequence {
        package let value: Value

        package var count: Int { Int(value.node.count) }

        /// The member of that exact name.
        package subscript(key: StaticString) -> Value? {
            var index = value.index + 1
            let end = Int(value.node.next)
            while index < end {
                if keyMatches(index, key) {
                    return Value(document: value.document, index: index + 1)
                }
                index = Int(value.document.nodes[index + 1].next)
            }
            return nil
        }

        /// A key that differs from `key` in the case of letters alone.
        package func nearMiss(of key: StaticString) -> Value? {
            var index = value.index + 1
            let end = Int(value.node.next)
            while index < end {
                let name = Value(document: value.document, index: index)
                if !keyMatches(index, key), let text = name.string,
                    isEqualIgnoringCase(text, key)
                {
                    return name
                }
                index = Int(value.document.nodes[index + 1].next)
            }
            return nil
        }

        private func keyMatches(_ index: Int, _ key: StaticString) -> Bool {
            let node = value.document.nodes[index]
            guard !node.hasEscapes else {
                return Value(document: value.document, index: index).string == key.description
            }
            let count = key.utf8CodeUnitCount
            guard Int(node.end - node.start) == count else { return false }
            let start = Int(node.start)
            for position in 0..<count {
                guard unsafe value.document.bytes[start + position] == key.utf8Start[position]
                else { return false }
            }
            return true
        }

        package struct Iterator: IteratorProtocol {
            let document: Document
            var index: Int
            let end: Int

            package mutating func next() -> (key: String, value: Value)? {
                guard index < end else { return nil }
                let member = Value(document: document, index: index + 1)
                let key = Value(document: document, index: index).string ?? ""
                index = Int(member.node.next)
                return (key, member)
            }
        }

        package func makeIterator() -> Iterator {
            Iterator(
                document: value.document, index: value.index + 1, end: Int(value.node.next))
        }
    }
}

/// Compares letters A to Z without regard to case; a text of other length is never equal.
private func isEqualIgnoringCase(_ text: String, _ key: StaticString) -> Bool {
    guard text.utf8.count == key.utf8CodeUnitCount else { return false }
    var position = 0
    for byte in text.utf8 {
        guard unsafe lowercase(byte) == lowercase(key.utf8Start[position]) else { return false }
        position += 1
    }
    return true
}

private func lowercase(_ byte: UInt8) -> UInt8 {
    byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
}

/// The keys of one object, to find one that is there twice.
struct Keys {
    private let indices: [Int]
    private let nodes: [Node]
    private let bytes: [UInt8]

    init(of object: Int, nodes: [Node], bytes: [UInt8]) {
        var indices: [Int] = []
        indices.reserveCapacity(Int(nodes[object].count))
        var index = object + 1
        while index < nodes[object].next {
            indices.append(index)
            index = Int(nodes[index + 1].next)
        }
        self.indices = indices
        self.nodes = nodes
        self.bytes = bytes
    }

    /// The second of two equal keys.
    var duplicate: Int? {
        // Few keys are compared with each other, many are sorted, so that no text is slow.
        guard indices.count > 16 else { return duplicateOfFew }
        let sorted = indices.sorted { order($0, $1) < 0 }
        for pair in zip(sorted, sorted.dropFirst()) where order(pair.0, pair.1) == 0 {
            return max(pair.0, pair.1)
        }
        return nil
    }

    private var duplicateOfFew: Int? {
        for second in indices.indices {
            for first in 0..<second where order(indices[first], indices[second]) == 0 {
                return indices[second]
            }
        }
        return nil
    }

    /// Negative, 0 or positive: shorter keys first, then by bytes.
    private func order(_ first: Int, _ second: Int) -> Int {
        let (first, second) = (nodes[first], nodes[second])
        if first.hasEscapes || second.hasEscapes {
            return order(plain(first)[...], plain(second)[...])
        }
        let lengths = Int(first.end - first.start) - Int(second.end - second.start)
        guard lengths == 0 else { return lengths }
        return order(
            bytes[Int(first.start)..<Int(first.end)], bytes[Int(second.start)..<Int(second.end)])
    }

    private func plain(_ node: Node) -> [UInt8] {
        unescaped(bytes, from: Int(node.start), to: Int(node.end))
    }

    private func order(_ first: ArraySlice<UInt8>, _ second: ArraySlice<UInt8>) -> Int {
        guard first.count == second.count else { return first.count - second.count }
        for (a, b) in zip(first, second) where a != b { return Int(a) - Int(b) }
        return 0
    }
}
