package satchel

import java.awt.Color
import java.awt.image.BufferedImage
import java.io.File
import java.nio.file.Path
import javax.imageio.ImageIO
import kotlin.io.path.pathString
import kotlin.math.sin

/** What the driver gives: a running hub's invite, and where to write what the phone recorded. */
object Given {
    val invite: String get() = given("SATCHEL_INVITE_KOTLIN")
    /** Of a courier with a round of 200 stops, for what the day itself has no doors for. */
    val inviteMore: String get() = given("SATCHEL_INVITE_KOTLIN_MORE")
    /** Of a courier with a round of 200 stops that nobody else touches. */
    val inviteCost: String get() = given("SATCHEL_INVITE_KOTLIN_COST")
    /** Of a courier with a round long enough for the cycles of [CostTest]. */
    val inviteLeak: String get() = given("SATCHEL_INVITE_KOTLIN_LEAK")
    /** Of a courier with five stops, whose store [StoreFormatTest] keeps. */
    val inviteStore: String get() = given("SATCHEL_INVITE_KOTLIN_STORE")
    val inviteGuide: String get() = given("SATCHEL_INVITE_GUIDE")
    val testData: File get() = File(given("SATCHEL_TESTDATA"))
    val recordFile: File get() = File(given("SATCHEL_RECORD_KOTLIN"))

    private fun given(name: String): String =
        requireNotNull(System.getenv(name)) { "$name is not set: this test runs from scripts/test-bindings" }
}

/** A key as a keystore would give it; fixed, so that a store can be opened again. */
fun testKey(): ByteArray = ByteArray(32) { (it * 7 + 1).toByte() }

fun config(directory: Path, key: ByteArray = testKey()) =
    SatchelConfig(directory = directory.pathString, key = key, bootId = null, utcOffsetMin = 480)

/** A photo a camera could have taken: light, with edges, large enough to read a label on. */
fun photograph(file: File, seed: Int): File {
    val image = BufferedImage(1_024, 768, BufferedImage.TYPE_INT_RGB)
    val canvas = image.createGraphics()
    canvas.color = Color(200, 205, 210)
    canvas.fillRect(0, 0, 1_024, 768)
    for (i in 0 until 40) {
        canvas.color = Color((i * 37 + seed * 11) % 256, (i * 59) % 256, (i * 83) % 256)
        canvas.fillRect((i * 97 + seed * 13) % 960, (i * 61) % 720, 64, 48)
    }
    canvas.dispose()
    check(ImageIO.write(image, "jpeg", file)) { "no JPEG writer" }
    return file
}

/** Two strokes as a pad gives them. */
fun signature(): Signature {
    val wave = (0 until 80).map { InkPoint(40f + it * 5, 150f + 60 * sin(it / 6.0).toFloat(), (it * 8).toUInt()) }
    val bar = (0 until 30).map { InkPoint(120f + it * 6, 230f - it * 2, (900 + it * 8).toUInt()) }
    return Signature(strokes = listOf(wave, bar), canvasWidth = 600f, canvasHeight = 300f)
}

/** Every parcel of the stop delivered into the recipient's hands. */
fun handedOver(stop: Stop, signature: Signature? = signature()) = Completion(
    handoff = HandoffKind.RECIPIENT,
    parcels = stop.parcels.map { ParcelResult(it.parcelId, ParcelOutcome.Delivered, scan = it.waybill) },
    relation = Relation.ONESELF,
    identity = RecipientCheck(IdentityMethod.PHONE_LAST4, matched = true),
    inspection = InspectionResult.DECLINED,
    signature = signature,
    position = Position(stop.lat, stop.lng, accuracyM = 8f, ageMs = 1_500, mock = false),
)

/** Not delivered because of the weather: needs no call, and leaves every parcel open for the next try. */
fun failed(stop: Stop) = Completion(
    handoff = HandoffKind.RECIPIENT,
    parcels = stop.parcels.map {
        ParcelResult(it.parcelId, ParcelOutcome.Failed(Reason.WEATHER, Action.EXCUSED_RETRY))
    },
)
