internal import CLinux
package func say(_ text: String) { var t = text; t.withUTF8 { _ = unsafe apus_write(1, $0.baseAddress!, UInt($0.count)) } }
