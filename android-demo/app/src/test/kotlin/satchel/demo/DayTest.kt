package satchel.demo

import java.io.File
import java.net.HttpURLConnection
import java.net.URL
import kotlinx.coroutines.runBlocking
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode
import satchel.HandlingTag
import satchel.Position
import satchel.Reason
import satchel.SatchelException
import satchel.StopState
import satchel.SyncState
import satchel.allStops
import satchel.demo.present.isPickup
import satchel.demo.screen.TroubleScreen

/**
 * A courier's day through the app's own screens against a real hub, the network gone in the middle; in both
 * languages, by day and by night, and with large text. Every screen is drawn and kept.
 */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [35], application = TestApp::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
class DayTest {
    @Test
    fun `in English by day`() = day("en-light", 1, "en-rUS-w390dp-h844dp-port-notnight-xhdpi")

    @Test
    fun `in Chinese by day`() = day("zh-light", 2, "zh-rCN-w390dp-h844dp-port-notnight-xhdpi")

    @Test
    fun `in English by night`() = day("en-dark", 3, "en-rUS-w390dp-h844dp-port-night-xhdpi")

    @Test
    fun `in Chinese by night`() = day("zh-dark", 4, "zh-rCN-w390dp-h844dp-port-night-xhdpi")

    @Test
    fun `on a small phone with large text`() {
        RuntimeEnvironment.setFontScale(1.6f)
        day("zh-large", 5, "zh-rCN-w320dp-h640dp-port-notnight-xhdpi")
    }

    private companion object {
        /** The hub's word for a position that another app made up. */
        const val MOCK = "mock_location"
    }

    private lateinit var driver: Driver

    /** Each courier takes one of his own: the same one twice is a question of the hub. */
    private var picture = 0
    private val app get() = RuntimeEnvironment.getApplication() as TestApp

    private fun day(name: String, courier: Int, qualifiers: String) {
        RuntimeEnvironment.setQualifiers(qualifiers)
        driver = Driver(File(System.getProperty("satchel.screens"), name))
        try {
            picture = courier
            enrol(courier)
            startShift()
            loadOneParcel()
            plan()
            wish()
            commonHandoff()
            refusedAndMended()
            groupStop()
            failedAttempt()
            lockedHandoff()
            measureTheCold()
            collect()
            reportInOneTap()
            lookAtTheQueueOffline()
            comeBackOnline()
            speakAgainstTheRating()
            answerTheDoubt()
            lookAtTheRest()
        } finally {
            driver.controller.pause().stop()
            runBlocking { app.desk.phone().shutdown() }
        }
    }

    private fun enrol(courier: Int) {
        driver.await("enrol")
        driver.type("invite", "not an invite")
        driver.tap("enrol")
        assertTrue(driver.banner().isNotEmpty())
        driver.shot("01-enrol")
        driver.type("invite", checkNotNull(System.getenv("SATCHEL_INVITE_ANDROID$courier")) { "runs from scripts/test-android" })
        driver.tap("enrol")
        driver.await("open-next")
        driver.shot("02-route-before-shift")
    }

    private fun startShift() {
        driver.tap("start-shift")
        driver.until("the shift to run") { app.library.shift().on }
        driver.shot("03-route", whole = true)
        readable()
    }

    private fun readable() {
        assertEquals("room for a finger", emptyList<String>(), driver.tooSmall())
        assertEquals("nothing is cut off", emptyList<String>(), driver.cutOff())
    }

    private fun loadOneParcel() {
        driver.tap("load")
        driver.tap("scan-camera")
        driver.scanned(app.library.allStops().first().parcels.first().waybill)
        driver.tap("scan-go")
        driver.until("the parcel to be loaded") { app.library.loadCheck(app.library.routes().first().routeId).loaded.size == 1 }
        driver.shot("04-load-check")
        driver.tap("back")
    }

    private fun plan() {
        offline(true)
        driver.tap("tab-route")
        driver.tap("plan")
        driver.await("map")
        driver.shot("05-map", whole = true)
        driver.tap("delayed")
        driver.shot("05-map-delayed", whole = true)
        driver.tap("tab-route")
        driver.shot("06-route-planned")
    }

    /** The pickup last, by the courier's own wish: the plan follows at once. */
    private fun wish() {
        driver.tap("tab-map")
        driver.tap("wishes")
        driver.tap("last")
        driver.tap("pick-${pickup().parcels.single().waybill}")
        driver.until("the plan to follow") { app.library.currentPlan()!!.stops.last().stopId == pickup().stopId }
        driver.tap("keep-1")
        driver.shot("06-wishes", whole = true)
        readable()
        assertEquals(1, app.library.planWishes().frozen.toInt())
        driver.tap("back")
        driver.tap("tab-route")
    }

    private fun pickup() = app.library.allStops().single { stop -> stop.parcels.any { it.isPickup } }

    private fun offline(isOn: Boolean) {
        driver.tap("tab-settings")
        driver.tap("airplane")
        assertEquals(isOn, app.desk.settings.isOffline)
    }

    /** Three taps beside the drawing, and three calls into the library. */
    private fun commonHandoff() {
        val stop = app.library.allStops().first { it.parcels.size == 1 && it.parcels.all { p -> p.tags.isEmpty() && !p.isPickup } && it.state == StopState.OPEN }
        val waybill = stop.parcels.single().waybill
        val tag = if (app.library.allStops().first().stopId == stop.stopId) "open-next" else "stop-$waybill"
        driver.await(tag)
        app.calls.clear()
        driver.tap(tag)
        driver.shot("07-stop", whole = true)
        readable()
        driver.taps = 0
        driver.tap("photo")
        driver.photograph(picture)
        driver.sign()
        driver.tap("identity-PHONE_LAST4")
        driver.shot("08-stop-filled", whole = true)
        driver.tap("complete-DECLINED")
        driver.await("qr")
        assertEquals(3, driver.taps)
        assertEquals(listOf("beginAttempt", "addPhoto", "completeAttempt"), app.calls.toList())
        assertEquals(StopState.DONE, app.library.stop(stop.stopId).state)
        driver.shot("09-rating-code")
        driver.tap("finish")
        assertTrue("on to the next door", driver.find("how") != null)
    }

    /** What is missing is marked where it is asked for; the core says what. */
    private fun refusedAndMended() {
        driver.tap("complete-INSPECTED")
        assertTrue(driver.banner().isNotEmpty())
        driver.shot("10-refused", whole = true)
        driver.tap("reveal")
        driver.await("call")
        driver.shot("11-contact")
        driver.tap("back")
    }

    private fun groupStop() {
        val stop = app.library.allStops().first { it.parcels.size == 2 }
        openDoor(stop.stopId)
        driver.tap("how")
        driver.shot("12-ways-to-hand-over", whole = true)
        driver.tap(pickOf("FRONT_DESK"))
        driver.settle()
        driver.tap("outcome-${stop.parcels[1].waybill}-later")
        driver.shot("13-group-stop", whole = true)
        driver.tap("back")
    }

    /** A tag of the list of handoffs that ends with this kind. */
    private fun pickOf(kind: String): String {
        var found: String? = null
        driver.until(kind) {
            found = tags().firstOrNull { it.startsWith("pick-") && "handoff=$kind," in it }
            found != null
        }
        return checkNotNull(found)
    }

    private fun tags(): List<String> {
        fun all(view: android.view.View): List<String> = listOfNotNull(view.tag as? String) +
            if (view is android.view.ViewGroup) (0 until view.childCount).flatMap { all(view.getChildAt(it)) } else emptyList()
        return all(driver.root)
    }

    private fun openDoor(stopId: String) {
        driver.tap("tab-route")
        val stops = app.library.allStops()
        val stop = stops.single { it.stopId == stopId }
        val isNext = stops.first { it.state != StopState.DONE }.stopId == stopId
        driver.tap(if (isNext) "open-next" else "stop-${stop.parcels.first().waybill}")
        driver.await("how")
    }

    private fun failedAttempt() {
        val stop = app.library.allStops().first { it.state == StopState.OPEN && it.parcels.size == 1 && it.parcels.single().doorRequired.not() }
        openDoor(stop.stopId)
        driver.tap("fail")
        driver.tap("reason")
        driver.shot("14-reasons")
        driver.tap("pick-RECIPIENT_ABSENT")
        driver.tap("record-failed")
        assertTrue("no contact, no failure code", driver.banner().isNotEmpty())
        driver.shot("15-could-not-deliver", whole = true)
        readable()
        driver.tap("call-NO_ANSWER")
        // A position another app made up: recorded as what it is, never in the way.
        app.place = Position(stop.lat, stop.lng, accuracyM = 6f, ageMs = 900, mock = true)
        driver.tap("record-failed")
        app.place = null
        driver.until("the list") { driver.find("tab-route") != null }
        assertEquals(StopState.FAILED, app.library.stop(stop.stopId).state)
    }

    private fun lockedHandoff() {
        val stop = app.library.allStops().last { it.state == StopState.OPEN && it.parcels.size == 1 && it.parcels.all { p -> p.consents.isEmpty() && !p.doorRequired && !p.isPickup } }
        openDoor(stop.stopId)
        driver.tap("how")
        driver.tap(pickOf("STATION"))
        driver.await("record-consent")
        driver.shot("16-ask-the-customer")
        driver.tap("channel-CALL")
        driver.type("seconds", "25")
        driver.type("place", "湖滨驿站")
        driver.tap("record-consent")
        driver.await("how")
        driver.shot("17-station", whole = true)
        driver.tap("back")
    }

    private fun measureTheCold() {
        val stop = app.library.allStops().first { it.state == StopState.OPEN && it.parcels.any { p -> HandlingTag.FRESH in p.tags } }
        openDoor(stop.stopId)
        driver.type("degrees", "warm")
        driver.tap("take-reading")
        assertTrue("no number, no reading", driver.banner().isNotEmpty())
        driver.type("degrees", "4,5")
        driver.tap("take-reading")
        driver.type("degrees", "12.5")
        driver.tap("take-reading")
        assertTrue("two readings", "2" in driver.banner())
        driver.shot("17-temperature", whole = true)
        driver.tap("back")
    }

    /** One check, two questions, three labels; nothing is recorded before all are there. */
    private fun collect() {
        val stop = pickup()
        val parcel = stop.parcels.single()
        driver.tap("tab-route")
        driver.tap("stop-${parcel.waybill}")
        driver.shot("17-stop-with-pickup", whole = true)
        driver.tap("pickup-${parcel.waybill}")
        driver.tap("sender-true")
        driver.tap("record-pickup")
        driver.shot("17-pickup-incomplete", whole = true)
        readable()
        assertTrue("nothing is recorded", app.library.stop(stop.stopId).parcels.single().isPickup)
        driver.tap("contents-COMPLIANT")
        driver.tap("time-SAME_CITY")
        driver.tap("wish-none")
        driver.tap("tag-FRAGILE")
        driver.tap("label-waybill")
        driver.tap("label-inspected")
        driver.tap("scan-camera")
        driver.scanned(parcel.waybill)
        driver.shot("17-pickup", whole = true)
        driver.tap("record-pickup")
        driver.until("the pickup") { app.library.stop(stop.stopId).parcels.single().isPickup.not() }
        driver.await("tab-route")
    }

    private fun reportInOneTap() {
        driver.tap("tab-route")
        driver.tap("report")
        driver.taps = 0
        driver.tap("report-TRAFFIC")
        assertEquals(1, driver.taps)
        driver.until("the report") { app.library.reports().any { it.reason == Reason.TRAFFIC } }
        driver.shot("18-report")
        driver.tap("back")
    }

    private fun lookAtTheQueueOffline() {
        assertTrue(app.library.syncStatus().unsentEntries > 0u)
        driver.tap("queue")
        driver.shot("19-queue-offline", whole = true)
        readable()
        driver.tap("back")
        driver.shot("20-route-offline", whole = true)
    }

    private fun comeBackOnline() {
        offline(false)
        driver.until("the queue to empty") { app.library.syncStatus().let { it.unsentEntries == 0uL && it.unsentProofs == 0uL } }
        val done = app.library.allStops().first { it.state == StopState.DONE }
        assertEquals(SyncState.PROOF_COMPLETE, done.sync)
        rate(app.library.ratingCode(done.parcels.single().parcelId).url)
        driver.tap("tab-route")
        driver.tap("queue")
        driver.tap("sync-now")
        driver.until("the rating") { app.library.stop(done.stopId).parcels.single().rating != null }
        driver.shot("21-queue-synced", whole = true)
        driver.tap("back")
        driver.tap("stop-${done.parcels.single().waybill}")
        driver.until("the stars") { driver.says("★") }
        driver.shot("22-history")
        driver.tap("back")
    }

    private fun speakAgainstTheRating() {
        val done = app.library.allStops().first { it.parcels.any { p -> p.rating != null } }
        val parcel = done.parcels.single { it.rating != null }
        driver.tap("tab-route")
        driver.tap("stop-${parcel.waybill}")
        driver.tap("rating-${parcel.waybill}")
        driver.await("appeal-words")
        driver.shot("22-rating", whole = true)
        readable()
        driver.tap("send-appeal")
        assertTrue("words are asked for", driver.banner().isNotEmpty())
        driver.type("appeal-words", "当时电梯停运,已电话说明。")
        driver.tap("send-appeal")
        driver.until("the appeal") { app.library.stop(done.stopId).parcels.single { it.rating != null }.rating!!.appeal != null }
        driver.shot("22-rating-appealed", whole = true)
        driver.tap("back")
        driver.tap("back")
    }

    /** The hub asks about the position that was made up; the courier answers, and it is his last word. */
    private fun answerTheDoubt() {
        driver.tap("tab-route")
        driver.tap("queue")
        lookForDoubts()
        driver.tap("sync-now")
        driver.until("a question of the hub") { app.library.doubts().any { it.question?.code == MOCK } }
        driver.tap("back")
        driver.tap("tab-day")
        driver.shot("23-my-day-with-a-question", whole = true)
        driver.tap("doubts")
        driver.type("doubt-words-$MOCK", "测试手机装了定位模拟软件,已卸载。")
        driver.shot("23-question", whole = true)
        readable()
        driver.tap("answer-$MOCK")
        driver.until("the answer") { app.library.doubts().single { it.question?.code == MOCK }.answer != null }
        driver.shot("23-question-answered", whole = true)
        driver.tap("back")
    }

    /** What the hub does by itself some minutes later. */
    private fun lookForDoubts() {
        val review = listOf(System.getenv("SATCHEL_HUB"), "review", "--data", System.getenv("SATCHEL_HUB_DATA"))
        val process = ProcessBuilder(review).redirectErrorStream(true).start()
        val said = process.inputStream.bufferedReader().readText()
        assertEquals(said, 0, process.waitFor())
    }

    /** The customer, on a phone of their own. */
    private fun rate(url: String) {
        val connection = URL(url).openConnection() as HttpURLConnection
        connection.instanceFollowRedirects = false
        connection.doOutput = true
        connection.outputStream.use { it.write("stars=5&tag_patient=1&comment=很好,谢谢".toByteArray()) }
        assertEquals(303, connection.responseCode)
    }

    private fun lookAtTheRest() {
        driver.tap("tab-day")
        driver.await("shift")
        driver.shot("23-my-day", whole = true)
        readable()
        driver.tap("tab-settings")
        driver.await("airplane")
        driver.shot("24-settings", whole = true)
        driver.activity.go(TroubleScreen(driver.activity, SatchelException.WrongKey()))
        driver.await("try-again")
        driver.shot("25-trouble")
    }
}
