import CourierModels
import Foundation
import Testing

/// Every word the app itself says is there in both languages, and no key is left over or misspelt.
@Suite struct StringsTests {
    private struct Catalog: Decodable {
        struct Entry: Decodable {
            struct Localization: Decodable {
                struct Unit: Decodable { let value: String }
                let stringUnit: Unit
            }
            let localizations: [String: Localization]
        }
        let sourceLanguage: String
        let strings: [String: Entry]
    }

    private let demo = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    private func catalog(_ name: String) throws -> Catalog {
        let file = demo.appendingPathComponent("App/Resources/\(name).xcstrings")
        return try JSONDecoder().decode(Catalog.self, from: Data(contentsOf: file))
    }

    /// The keys that the views name, as in "route.next" and "route.parcels \\(n)".
    private func usedKeys() throws -> Set<String> {
        let views = demo.appendingPathComponent("App")
        let files = try #require(FileManager.default.enumerator(at: views, includingPropertiesForKeys: nil))
            .compactMap { $0 as? URL }.filter { $0.pathExtension == "swift" }
        #expect(files.count > 5)
        // What stands before the first interpolation; names of symbols and of files have other first words.
        let areas = "app|enrol|route|stop|item|fail|report|rating|queue|day|settings|history|doubts|wishes|pickup"
        let pattern = try Regex<(Substring, Substring)>("\"((?:\(areas))\\.[a-z_]+)(?: \\\\\\([^\"\\n]*)?\"")
        return Set(try files.flatMap { file in
            try String(contentsOf: file, encoding: .utf8).matches(of: pattern).map { String($0.output.1) }
        })
    }

    @Test("both languages, for every key")
    func complete() throws {
        for name in ["Localizable", "InfoPlist"] {
            let catalog = try catalog(name)
            #expect(!catalog.strings.isEmpty)
            for (key, entry) in catalog.strings {
                for language in Language.allCases {
                    let words = entry.localizations[language.rawValue]?.stringUnit.value ?? ""
                    #expect(!words.isEmpty, "\(name): \(key) in \(language.rawValue)")
                }
            }
        }
    }

    @Test("each key that is used has words, and each that has words is used")
    func used() throws {
        // "route.parcels %lld": the key's name is what stands before the first placeholder.
        let known = Set(try catalog("Localizable").strings.keys.map { String($0.split(separator: " ")[0]) })
        let used = try usedKeys().union(Message.Key.allCases.map(\.rawValue))
        #expect(used.subtracting(known).isEmpty, "without words: \(used.subtracting(known).sorted())")
        #expect(known.subtracting(used).isEmpty, "without use: \(known.subtracting(used).sorted())")
    }
}
