/// What a finger draws on the pad. It collects; whether it is a signature is the library's to say.
public struct Ink: Equatable, Sendable {
    public private(set) var strokes: [[InkPoint]] = []
    public private(set) var width: Double
    public private(set) var height: Double
    private var startedMs: Int64?

    public init(width: Double = 600, height: Double = 300) {
        self.width = width
        self.height = height
    }

    /// The pad's size in the units of its points; a pad that is turned starts anew.
    public mutating func resize(width: Double, height: Double) {
        guard width > 0, height > 0, width != self.width || height != self.height else { return }
        self = Ink(width: width, height: height)
    }

    /// A finger comes down.
    public mutating func begin() {
        strokes.append([])
    }

    /// It moves; beyond the edge counts as the edge.
    public mutating func add(x: Double, y: Double, atMs: Int64) {
        if strokes.isEmpty { begin() }
        let start = startedMs ?? atMs
        startedMs = start
        let point = InkPoint(
            x: Float(min(max(x, 0), width)), y: Float(min(max(y, 0), height)),
            tMs: UInt32(clamping: atMs - start), pressure: nil)
        strokes[strokes.count - 1].append(point)
    }

    /// Nil while nothing was drawn.
    func signature(askedAgain: Bool) -> Signature? {
        let drawn = strokes.filter { !$0.isEmpty }
        guard !drawn.isEmpty else { return nil }
        return Signature(
            strokes: drawn, canvasWidth: Float(width), canvasHeight: Float(height), askedAgain: askedAgain)
    }
}
