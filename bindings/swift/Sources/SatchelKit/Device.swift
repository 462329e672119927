import Foundation

#if canImport(Darwin)
import Darwin
#endif

extension SatchelConfig {
    /// The configuration for this device: makes the folder, keeps it out of backups and, on iOS, readable
    /// after the first unlock only; names the run of the device where the system tells.
    public static func forThisDevice(directory: URL, keys: any KeyStore) throws -> SatchelConfig {
        var attributes: [FileAttributeKey: Any] = [:]
        #if os(iOS)
        attributes[.protectionKey] = FileProtectionType.completeUntilFirstUserAuthentication
        #endif
        try FileManager.default.createDirectory(
            at: directory, withIntermediateDirectories: true, attributes: attributes)
        #if canImport(Darwin)
        // The store holds personal data and the device's own signing key: neither belongs into a cloud.
        var folder = directory
        var values = URLResourceValues()
        values.isExcludedFromBackup = true
        try folder.setResourceValues(values)
        #endif
        return SatchelConfig(
            directory: directory.path, key: try keys.key(forStoreIn: directory), bootId: bootSession())
    }

    /// The system's name for the time since it started; nil where the library asks the kernel itself.
    private static func bootSession() -> String? {
        #if canImport(Darwin)
        var size = 0
        guard sysctlbyname("kern.bootsessionuuid", nil, &size, nil, 0) == 0, size > 0 else { return nil }
        var bytes = [CChar](repeating: 0, count: size)
        guard sysctlbyname("kern.bootsessionuuid", &bytes, &size, nil, 0) == 0 else { return nil }
        return String(cString: bytes)
        #else
        return nil
        #endif
    }
}
