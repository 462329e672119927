import Foundation

#if canImport(Security)
import Security
#endif

/// Where the store's key lives between two starts of the app.
public protocol KeyStore: Sendable {
    /// The key, or nil when there is none yet.
    func load() throws -> Data?
    /// Keeps a new key. Fails when there is one: a key that is overwritten is a store that is lost.
    func save(_ key: Data) throws
    /// Takes the key away for good, if it is there: the hub ordered this phone to be wiped.
    func destroy() throws
}

/// What can go wrong with a key, beside the platform's own errors.
public enum KeyStoreError: Error, Equatable {
    /// There is a store and no key for it: the keychain was wiped or the store came from another phone.
    /// Making a new key would only hide that. Call support; the hub has everything that was receipted.
    case keyLost
    /// There already is a key.
    case alreadyThere
    /// The keychain answered with this status.
    case keychain(Int32)
}

extension KeyStore {
    /// The key of the store in `directory`; a new one, kept before it is returned, for a store that is not
    /// there yet. Overwrite the data after `open`.
    public func key(forStoreIn directory: URL) throws -> Data {
        if let key = try load() { return key }
        let database = directory.appendingPathComponent("satchel.db")
        guard !FileManager.default.fileExists(atPath: database.path) else { throw KeyStoreError.keyLost }
        var random = SystemRandomNumberGenerator()
        let key = Data((0..<32).map { _ in UInt8.random(in: .min ... .max, using: &random) })
        try save(key)
        return key
    }
}

/// For tests and previews: gone with the process.
public final class MemoryKeyStore: KeyStore {
    private let key = Locked<Data?>(nil)

    public init() {}

    public func load() throws -> Data? {
        key.with { $0 }
    }

    public func save(_ new: Data) throws {
        try key.with { key in
            guard key == nil else { throw KeyStoreError.alreadyThere }
            key = new
        }
    }

    public func destroy() throws {
        key.with { $0 = nil }
    }
}

/// Stands in where there is no keychain (Linux): a file that only its owner reads. It protects the store from
/// nobody who can read the owner's files, so it is no choice for a phone.
public struct FileKeyStore: KeyStore {
    private let file: URL

    public init(file: URL) {
        self.file = file
    }

    public func load() throws -> Data? {
        FileManager.default.fileExists(atPath: file.path) ? try Data(contentsOf: file) : nil
    }

    public func save(_ key: Data) throws {
        let fresh = FileManager.default.createFile(
            atPath: file.path + ".new", contents: key, attributes: [.posixPermissions: 0o600])
        guard fresh else { throw CocoaError(.fileWriteUnknown) }
        do {
            // Moving does not overwrite, so two starts at once end with one key.
            try FileManager.default.moveItem(atPath: file.path + ".new", toPath: file.path)
        } catch {
            try? FileManager.default.removeItem(atPath: file.path + ".new")
            throw KeyStoreError.alreadyThere
        }
    }

    public func destroy() throws {
        if FileManager.default.fileExists(atPath: file.path) { try FileManager.default.removeItem(at: file) }
    }
}

#if canImport(Security)
/// The keychain of this device. The key does not leave it: not in a backup, not by iCloud. It is readable
/// after the first unlock, because background work runs while the phone is locked in a pocket.
public struct KeychainKeyStore: KeyStore {
    private let service: String
    private let account: String

    public init(service: String, account: String = "store-key") {
        self.service = service
        self.account = account
    }

    private var item: [CFString: Any] {
        [kSecClass: kSecClassGenericPassword, kSecAttrService: service, kSecAttrAccount: account]
    }

    public func load() throws -> Data? {
        var query = item
        query[kSecReturnData] = true
        var found: CFTypeRef?
        switch SecItemCopyMatching(query as CFDictionary, &found) {
        case errSecSuccess: return found as? Data
        case errSecItemNotFound: return nil
        case let status: throw KeyStoreError.keychain(status)
        }
    }

    public func save(_ key: Data) throws {
        var new = item
        new[kSecValueData] = key
        new[kSecAttrAccessible] = kSecAttrAccessibleAfterFirstUnlockThisDeviceOnly
        switch SecItemAdd(new as CFDictionary, nil) {
        case errSecSuccess: return
        case errSecDuplicateItem: throw KeyStoreError.alreadyThere
        case let status: throw KeyStoreError.keychain(status)
        }
    }

    public func destroy() throws {
        switch SecItemDelete(item as CFDictionary) {
        case errSecSuccess, errSecItemNotFound: return
        case let status: throw KeyStoreError.keychain(status)
        }
    }
}
#endif
