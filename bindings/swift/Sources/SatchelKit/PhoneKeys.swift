import Foundation

#if canImport(Security)
import Security
#endif

/// A P-256 key in the phone's hardware, which vouches for the key that signs the log (docs/adr/0045).
///
/// What it throws means that the hardware cannot sign now; the enrolment or the change of keys waits.
public protocol SigningKey: Sendable {
    /// The public half, as a point or as `SubjectPublicKeyInfo`; the pair is made at the first call.
    func publicKey() throws -> Data
    /// ECDSA with SHA-256 over these bytes, in DER.
    func sign(_ bytes: Data) throws -> Data
    /// Takes the pair out of the hardware, if it is there.
    func destroy() throws
}

/// The keys the platform keeps for this phone, as ``SyncHost`` serves them.
public struct PhoneKeys: Sendable {
    private let store: any KeyStore
    private let directory: URL
    let signing: (any SigningKey)?

    /// - Parameters:
    ///   - store: where the store's key is.
    ///   - directory: the store's folder, as `SatchelConfig.forThisDevice` was given it.
    ///   - signing: vouches for the log; nil for a phone without such hardware.
    public init(store: any KeyStore, directory: URL, signing: (any SigningKey)? = nil) {
        self.store = store
        self.directory = directory
        self.signing = signing
    }

    /// Ends a wipe that a kill cut off: call it before the store's key is asked for. True when there was one; the
    /// store is then gone and a new enrolment may begin.
    public func finishWipe() throws -> Bool {
        guard FileManager.default.fileExists(atPath: mark.path) else { return false }
        try destroy()
        try removeStore(directory: directory.path)
        try forget()
        return true
    }

    /// Lies beside the store from the first step of a wipe to its last.
    private var mark: URL { directory.appendingPathComponent("satchel.destroyed") }

    func destroy() throws {
        // The mark first: whoever finds it knows why there is no key.
        try Data().write(to: mark)
        try store.destroy()
        try signing?.destroy()
    }

    func forget() throws {
        try FileManager.default.removeItem(at: mark)
    }
}

/// What the library wanted of the keys, and what came of it.
enum KeyWork {
    case nothing, served
    case failed(any Error)
    case wiped(unsentEntries: UInt64, unsentProofs: UInt64)
}

extension Satchel {
    /// Names the hardware key before the enrolment goes out, so that the hub's answer already carries it.
    func offer(_ keys: PhoneKeys?) throws -> KeyWork {
        guard let signing = keys?.signing, try enrolment() == .pending else { return .nothing }
        return try trying { try offerHardwareKey(publicKey: signing.publicKey()) }
    }

    /// Does what the library asks of the keys now, one task.
    func serve(_ keys: PhoneKeys?) throws -> KeyWork {
        guard let keys, let task = try keyTask() else { return .nothing }
        switch task {
        case .offer:
            guard let signing = keys.signing else { return .nothing }
            return try trying { try offerHardwareKey(publicKey: signing.publicKey()) }
        case .sign(let id, _, let bytes):
            guard let signing = keys.signing else { return .nothing }
            return try trying { try completeKeyTask(taskId: id, signature: signing.sign(bytes)) }
        case .destroyKey(let id, let unsentEntries, let unsentProofs):
            // In this order: while the key is there the store could still be read, so it goes first.
            try keys.destroy()
            try completeKeyTask(taskId: id, signature: Data())
            try keys.forget()
            return .wiped(unsentEntries: unsentEntries, unsentProofs: unsentProofs)
        }
    }

    private func trying(_ work: () throws -> Void) throws -> KeyWork {
        do {
            try work()
            return .served
        } catch let error as SatchelError {
            // The store's own troubles are the run's; a signature that does not fit is the hardware's.
            guard case .InvalidInput = error else { throw error }
            return .failed(error)
        } catch {
            return .failed(error)
        }
    }
}

#if canImport(Security)
/// The P-256 key in the Secure Enclave. It never leaves it, and signs while the phone is locked, because the sync runs
/// in a pocket.
public struct SecureEnclaveSigningKey: SigningKey {
    private let tag: Data

    /// - Parameter tag: the app's own name for the key.
    public init(tag: String = "satchel.vouching") {
        self.tag = Data(tag.utf8)
    }

    public func publicKey() throws -> Data {
        let secret = try existing() ?? make()
        guard let open = SecKeyCopyPublicKey(secret) else { throw KeyStoreError.keychain(errSecInvalidKeyRef) }
        var error: Unmanaged<CFError>?
        guard let point = SecKeyCopyExternalRepresentation(open, &error) else { throw Self.thrown(error) }
        return point as Data
    }

    public func sign(_ bytes: Data) throws -> Data {
        guard let secret = try existing() else { throw KeyStoreError.keyLost }
        var error: Unmanaged<CFError>?
        let signature = SecKeyCreateSignature(secret, .ecdsaSignatureMessageX962SHA256, bytes as CFData, &error)
        guard let signature else { throw Self.thrown(error) }
        return signature as Data
    }

    public func destroy() throws {
        let query: [CFString: Any] = [kSecClass: kSecClassKey, kSecAttrApplicationTag: tag]
        switch SecItemDelete(query as CFDictionary) {
        case errSecSuccess, errSecItemNotFound: return
        case let status: throw KeyStoreError.keychain(status)
        }
    }

    private func existing() throws -> SecKey? {
        let query: [CFString: Any] = [
            kSecClass: kSecClassKey, kSecAttrApplicationTag: tag, kSecAttrKeyType: kSecAttrKeyTypeECSECPrimeRandom,
            kSecReturnRef: true,
        ]
        var found: CFTypeRef?
        switch SecItemCopyMatching(query as CFDictionary, &found) {
        // The query asks for keys alone.
        case errSecSuccess: return (found as! SecKey)
        case errSecItemNotFound: return nil
        case let status: throw KeyStoreError.keychain(status)
        }
    }

    private func make() throws -> SecKey {
        var error: Unmanaged<CFError>?
        let access = SecAccessControlCreateWithFlags(
            nil, kSecAttrAccessibleAfterFirstUnlockThisDeviceOnly, .privateKeyUsage, &error)
        guard let access else { throw Self.thrown(error) }
        let kept: [CFString: Any] = [
            kSecAttrIsPermanent: true, kSecAttrApplicationTag: tag, kSecAttrAccessControl: access,
        ]
        let wanted: [CFString: Any] = [
            kSecAttrKeyType: kSecAttrKeyTypeECSECPrimeRandom, kSecAttrKeySizeInBits: 256,
            kSecAttrTokenID: kSecAttrTokenIDSecureEnclave, kSecPrivateKeyAttrs: kept,
        ]
        guard let secret = SecKeyCreateRandomKey(wanted as CFDictionary, &error) else { throw Self.thrown(error) }
        return secret
    }

    private static func thrown(_ error: Unmanaged<CFError>?) -> any Error {
        error.map { $0.takeRetainedValue() as any Error } ?? KeyStoreError.keychain(errSecInternalError)
    }
}
#endif
