import Foundation
import SatchelKit
import Testing

/// What the package adds of its own: keys and words.
@Suite struct KitTests {
    private let folder = Folder()

    @Test("a key is made once, and never anew for a store that is there")
    func keys() throws {
        let keys = FileKeyStore(file: folder("key"))
        let made = try SatchelConfig.forThisDevice(directory: folder("store"), keys: keys)
        #expect(made.key.count == 32 && Set(made.key).count > 4)
        let mode = try FileManager.default.attributesOfItem(atPath: folder("key").path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        try Satchel.open(config: made).shutdown()
        let again = try SatchelConfig.forThisDevice(directory: folder("store"), keys: keys)
        #expect(again.key == made.key)
        #expect(try Satchel.open(config: again).stops().total == 0)

        #expect(throws: KeyStoreError.keyLost) {
            try SatchelConfig.forThisDevice(directory: folder("store"), keys: MemoryKeyStore())
        }
        #expect(throws: KeyStoreError.alreadyThere) { try keys.save(Data(count: 32)) }
        let memory = MemoryKeyStore()
        try memory.save(made.key)
        #expect(throws: KeyStoreError.alreadyThere) { try memory.save(Data(count: 32)) }
        #expect(try memory.load() == made.key)
    }

    @Test("every code list has words in both languages, and each value is found")
    func labels() {
        let labels = Labels()
        let lists = labels.lists
        #expect(lists.reasons.count > 30)
        for reason in lists.reasons {
            #expect(!labels[reason.reason].textZh.isEmpty && !labels[reason.reason].textEn.isEmpty)
            #expect(!reason.actions.isEmpty)
            for action in reason.actions { #expect(!labels[action].textZh.isEmpty) }
        }
        #expect(lists.syncStates.allSatisfy { labels[$0.state] == Words($0) })
        #expect(lists.handoffs.first { $0.handoff == .station }?.needsConsent == true)
        #expect(labels[HandoffKind.recipient].text(.chinese) != labels[HandoffKind.recipient].text(.english))
    }

    @Test("the language follows the locale", arguments: [
        ("zh_CN", Language.chinese), ("zh-Hans", .chinese), ("en_GB", .english), ("de_DE", .english),
    ])
    func languages(locale: String, expected: Language) {
        #expect(Language(Locale(identifier: locale)) == expected)
    }
}
