package let names: [StaticString] = ["a", "b"]
package func lookup(_ k: String) -> Int { let d: [String: Int] = ["x": 1, "é": 2]; return d[k] ?? 0 }
