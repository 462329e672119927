import Foundation

/// What is counted or measured at the door, as it is typed.
public enum Typed {
    /// What a courier types off a thermometer, in hundredths of a degree; nil where it is no reading.
    public static func centiDegrees(_ text: String) -> Int32? {
        var plain = text.trimmingCharacters(in: .whitespaces)
        for unit in ["°C", "℃"] where plain.hasSuffix(unit) { plain.removeLast(unit.count) }
        plain = plain.trimmingCharacters(in: .whitespaces)
            .replacingOccurrences(of: ",", with: ".").replacingOccurrences(of: "−", with: "-")
        let isPlain = plain.allSatisfy { $0.isASCII && ($0.isNumber || $0 == "." || $0 == "-") }
        guard isPlain, let degrees = Double(plain), abs(degrees) <= 100 else { return nil }
        return Int32((degrees * 100).rounded())
    }
}

/// One kind of item of a parcel that the customer keeps in part.
public struct CountedItem: Equatable, Identifiable, Sendable {
    public let id = UUID()
    public var label = ""
    public var of: UInt32 = 1
    public var accepted: UInt32 = 0

    public init() {}

    /// More than there was cannot be kept.
    var counted: ItemCount? {
        let name = label.trimmingCharacters(in: .whitespaces)
        return name.isEmpty ? nil : ItemCount(label: name, of: of, accepted: min(accepted, of))
    }
}

extension StopModel {
    /// Takes a reading of the thermometer of a parcel; the library says whether it is beyond its limits.
    @discardableResult
    public func takeReading(_ text: String, parcelId: String, atMs: Int64) async -> TemperatureReport? {
        guard let centi = Typed.centiDegrees(text) else {
            app.say(.own(.noReading))
            return nil
        }
        return await app.attempt {
            let sample = TemperatureSample(atMs: atMs, centiC: centi)
            let report = try await self.app.phone.addTemperatures(parcelId: parcelId, samples: [sample])
            self.app.say(.own(report.excursions > 0 ? .readingBeyond : .readingTaken))
            return report
        }
    }
}
