import Foundation

/// Writes a photo a camera could have taken: light, with edges, large enough to read a label on. As a PNG
/// without compression, because Foundation on Linux draws no pictures.
func photograph(_ file: URL, seed: Int, width: Int = 1_024, height: Int = 768) throws {
    var rows = Data(capacity: height * (1 + width * 3))
    for y in 0..<height {
        rows.append(0)
        for x in 0..<width {
            rows.append(contentsOf: pixel(x, y, seed))
        }
    }
    var png = Data([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
    png.append(chunk("IHDR", big(UInt32(width)) + big(UInt32(height)) + Data([8, 2, 0, 0, 0])))
    png.append(chunk("IDAT", stored(rows)))
    png.append(chunk("IEND", Data()))
    try png.write(to: file)
}

/// Coloured blocks on a light ground; which ones depends on the seed, so that no two photos are the same.
private func pixel(_ x: Int, _ y: Int, _ seed: Int) -> [UInt8] {
    let block = (x / 64) * 31 + (y / 48) * 17 + seed * 7
    guard block % 5 == 0 else { return [200, 205, 210] }
    return [UInt8(block * 37 % 256), UInt8(block * 59 % 256), UInt8(block * 83 % 256)]
}

private func big(_ value: UInt32) -> Data {
    withUnsafeBytes(of: value.bigEndian) { Data($0) }
}

private func chunk(_ name: String, _ body: Data) -> Data {
    let named = Data(name.utf8) + body
    return big(UInt32(body.count)) + named + big(crc32(named))
}

/// A zlib stream of blocks that are not compressed.
private func stored(_ bytes: Data) -> Data {
    var stream = Data([0x78, 0x01])
    var from = 0
    while from < bytes.count {
        let length = min(65_535, bytes.count - from)
        let isLast = from + length == bytes.count
        let low = UInt8(length & 0xff)
        let high = UInt8(length >> 8)
        stream.append(contentsOf: [isLast ? 1 : 0, low, high, ~low, ~high])
        stream.append(bytes.subdata(in: from..<from + length))
        from += length
    }
    stream.append(big(adler32(bytes)))
    return stream
}

private func adler32(_ bytes: Data) -> UInt32 {
    var a: UInt32 = 1
    var b: UInt32 = 0
    for byte in bytes {
        a = (a + UInt32(byte)) % 65_521
        b = (b + a) % 65_521
    }
    return b << 16 | a
}

private let crcTable: [UInt32] = (0..<256).map { (index: UInt32) -> UInt32 in
    var crc = index
    for _ in 0..<8 {
        let half = crc >> 1
        crc = crc & 1 == 1 ? 0xedb8_8320 ^ half : half
    }
    return crc
}

private func crc32(_ bytes: Data) -> UInt32 {
    var crc: UInt32 = 0xffff_ffff
    for byte in bytes {
        let index = Int((crc ^ UInt32(byte)) & 0xff)
        crc = crcTable[index] ^ (crc >> 8)
    }
    return ~crc
}
