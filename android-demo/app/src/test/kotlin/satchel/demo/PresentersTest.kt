package satchel.demo

import java.lang.reflect.Proxy
import kotlinx.coroutines.runBlocking
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test
import satchel.Answer
import satchel.CourierPhone
import satchel.HandlingTag
import satchel.Parcel
import satchel.PickupContents
import satchel.PickupOutcome
import satchel.PickupRequest
import satchel.PlanWishes
import satchel.PromiseClass
import satchel.RefusalRule
import satchel.RoutePlan
import satchel.SatchelException
import satchel.SatchelInterface
import satchel.Place
import satchel.Word
import satchel.demo.present.PickupPresenter
import satchel.demo.present.WishesPresenter
import satchel.demo.present.centiDegrees
import satchel.demo.present.isPickup

/** What presenters work out themselves, without a screen and without a hub. */
class PresentersTest {
    @Test
    fun `a reading is taken as couriers type it`() {
        assertEquals(450, centiDegrees("4.5"))
        assertEquals(450, centiDegrees(" 4,5 ℃"))
        assertEquals(-1_800, centiDegrees("-18"))
        assertEquals(-1_825, centiDegrees("−18.25°C"))
        assertEquals(0, centiDegrees("0"))
        for (none in listOf("", "warm", "4.5.1", "101", "-300", "1e9")) assertNull(none, centiDegrees(none))
    }

    @Test
    fun `a pickup claims only labels of what the parcel is, and only the right number is a scan`() {
        val presenter = PickupPresenter(CourierPhone(unused()), parcel(), arrivedAtMs = 5)
        presenter.tags += HandlingTag.FRESH
        presenter.labels += listOf(HandlingTag.FRESH, HandlingTag.FRAGILE)
        presenter.scanned = "other"
        assertFalse(presenter.request().scanned)
        presenter.scanned = " ad-1013 "
        presenter.wishes = "  "
        val request = presenter.request()
        assertTrue(request.scanned)
        assertEquals(listOf(HandlingTag.FRESH), request.handlingLabels)
        assertEquals("", request.wishes)
        assertNull("what was not asked is not answered", request.contents)
        assertEquals(5L, request.arrivedAtMs)
    }

    @Test
    fun `what a pickup lacks is shown until it is there`() = runBlocking {
        var asked: PickupRequest? = null
        val missing = listOf(Word("CONTENTS", "内件", "Contents"))
        val library = object : SatchelInterface by unused() {
            override fun pickup(request: PickupRequest): PickupOutcome {
                asked = request
                return if (request.contents == null) PickupOutcome.Incomplete(missing) else PickupOutcome.Accepted(PromiseClass.SAME_CITY)
            }
        }
        val presenter = PickupPresenter(CourierPhone(library), parcel(), arrivedAtMs = 1)
        presenter.record()
        assertEquals(missing, presenter.missing)
        presenter.contents = PickupContents.COMPLIANT
        val answer = presenter.record()
        assertEquals(PickupOutcome.Accepted(PromiseClass.SAME_CITY), (answer as Answer.Done).value)
        assertEquals(emptyList<Word>(), presenter.missing)
        assertEquals(PickupContents.COMPLIANT, asked?.contents)
    }

    @Test
    fun `wishes never contradict each other, and a plan that cannot be made says why`() = runBlocking {
        val library = Wishing()
        val presenter = WishesPresenter(CourierPhone(library))
        presenter.first("a")
        presenter.last("a")
        assertEquals(null to "a", library.wishes.firstStopId to library.wishes.lastStopId)
        presenter.first("b")
        presenter.setAside("b")
        assertEquals(listOf("b") to null, library.wishes.setAsideStopIds to library.wishes.firstStopId)
        assertEquals("a", library.wishes.lastStopId)
        presenter.setAside("b")
        assertEquals(emptyList<String>(), library.wishes.setAsideStopIds)
        presenter.pauseAt(1_000)
        assertEquals(listOf(1_000L), library.wishes.breaks.map { it.atMs })
        presenter.pauseAt(null)
        assertTrue(library.wishes.breaks.isEmpty())
        assertTrue("${presenter.keepNext(2u)}", presenter.keepNext(2u) is Answer.Refused)
        assertEquals(2, library.wishes.frozen.toInt())
    }

    @Test
    fun `a parcel to be collected is told by its state alone`() {
        assertTrue(parcel().isPickup)
        assertFalse(parcel(state = "ON_VEHICLE").isPickup)
    }

    /** Keeps wishes, and refuses every plan. */
    private class Wishing : SatchelInterface by unused() {
        var wishes = PlanWishes()

        override fun planWishes(): PlanWishes = wishes

        override fun setPlanWishes(wishes: PlanWishes) {
            this.wishes = wishes
        }

        override fun plan(start: Place?): RoutePlan =
            throw SatchelException.Refused(RefusalRule.ILLEGAL_ACTION, emptyList(), "没有站点", "Nothing to plan")
    }

    private fun parcel(state: String = "TO_COLLECT") = Parcel(
        parcelId = "p", waybill = "AD-1013", promiseClass = PromiseClass.SAME_CITY, promisedByMs = 0, tags = emptyList(),
        consents = emptyList(), doorRequired = false, state = Word(state, "", ""), flags = emptyList(), outcome = null, attempts = 0u, rating = null,
    )

    private companion object {
        fun unused(): SatchelInterface = Proxy.newProxyInstance(
            SatchelInterface::class.java.classLoader, arrayOf(SatchelInterface::class.java),
        ) { _, method, _ -> error("not expected: ${method.name}") } as SatchelInterface
    }
}
