package satchel

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.MethodOrderer
import org.junit.jupiter.api.Order
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestMethodOrder

/**
 * What the border costs: calls counted, times printed, memory watched.
 *
 * `-Dsatchel.cycles=10000` is the long form, `2000` enough to read figures from; times are asserted only in the long
 * one, because a debug build on a busy machine says nothing about a phone.
 */
@TestMethodOrder(MethodOrderer.OrderAnnotation::class)
class CostTest {
    private companion object {
        val round = RoundPhone { Given.inviteCost }
        val leak = RoundPhone { Given.inviteLeak }
    }

    private val cycles = Integer.getInteger("satchel.cycles", 300)
    private val isLong get() = cycles >= 10_000
    private val isRead get() = cycles >= 2_000

    @Test
    @Order(1)
    fun `a list of 200 stops is one call`() {
        val counted = Counting(round.phone)
        val page = counted.satchel.stops(0u, 200u)
        assertEquals(200, page.stops.size)
        assertEquals(1, counted.calls)
        val times = List(if (isRead) 200 else 30) { timed { round.phone.stops(0u, 200u) } }.drop(10).sorted()
        println("stops(200): median ${us(times[times.size / 2])}, best tenth ${us(times[times.size / 10])}")
        val one = List(60) { timed { round.phone.stops(0u, 1u) } }.drop(10).sorted()
        println("stops(1): median ${us(one[one.size / 2])}")
        // The best tenth: what the call costs when no other program has the processor.
        if (isLong) assertTrue(times[times.size / 10] <= 2_000_000, "2 ms")
    }

    @Test
    @Order(2)
    fun `a common handoff is three calls`() {
        val counted = Counting(round.phone)
        val door = round.door()
        val draft = counted.satchel.beginAttempt(door.stopId, HandoffKind.RECIPIENT)
        counted.satchel.addPhoto(draft.attemptId, round.photo(4_711), PhotoOrigin.CAMERA)
        counted.satchel.completeAttempt(draft.attemptId, handedOver(door))
        assertEquals(3, counted.calls)
        assertEquals(StopState.DONE, round.phone.stop(door.stopId).state)
    }

    /**
     * What each call of the main path takes, to read, not to assert. Above a frame (16 ms) are, by design: a photo
     * (decoding and encoding), a plan, and whatever waits for the disk (begin with a photo, completion, report).
     */
    @Test
    @Order(3)
    fun `what each call of the main path takes`() {
        val phone = round.phone
        val rounds = if (isRead) 60 else 6
        val times = linkedMapOf<String, MutableList<Long>>()
        fun <T> measured(name: String, call: () -> T): T {
            val start = System.nanoTime()
            return call().also { times.getOrPut(name) { mutableListOf() } += System.nanoTime() - start }
        }
        phone.plan()
        repeat(rounds) { i ->
            val door = round.door()
            measured("stops(200)") { phone.stops(0u, 200u) }
            measured("stop") { phone.stop(door.stopId) }
            measured("handoffs") { phone.handoffs(door.stopId) }
            val draft = measured("beginAttempt") { phone.beginAttempt(door.stopId, HandoffKind.RECIPIENT) }
            measured("checkSignature") { phone.checkSignature(draft.attemptId, signature()) }
            val photo = round.photo(20_000 + i)
            measured("addPhoto *") { phone.addPhoto(draft.attemptId, photo, PhotoOrigin.CAMERA) }
            measured("completeAttempt *") { phone.completeAttempt(draft.attemptId, handedOver(door)) }
            measured("ratingQr") { phone.ratingQr(door.parcels.single().parcelId) }
            measured("changesSince") { phone.changesSince(0) }
            measured("syncStatus") { phone.syncStatus() }
            measured("nextTask") { phone.nextTask(NetworkState.OFFLINE) }
            measured("shift") { phone.shift() }
            measured("clocks") { phone.clocks() }
            measured("report *") { phone.report(ReportRequest(Reason.TRAFFIC)) }
            if (i % 6 == 0) measured("plan *") { phone.plan() }
        }
        assertEquals(StopState.DONE, phone.stops(0u, 500u).stops.filter { it.state == StopState.DONE }.map { it.state }.distinct().single())
        times.forEach { (name, taken) ->
            val sorted = taken.drop(taken.size / 6).sorted()
            println("%-18s p50 %7s  p99 %7s".format(name, us(sorted[sorted.size / 2]), us(sorted[(sorted.size - 1) * 99 / 100])))
        }
    }

    @Test
    @Order(4)
    fun `creating and completing over and over leaks nothing`() {
        val phone = leak.phone
        // The library keeps 8 MiB of a store's pages, and the JVM its compiled code: both fill up once. A leak of the
        // library's goes on in every round, so one round without growth acquits it.
        val warmUp = if (isLong) 14_000 else cycles
        val rounds = if (isLong) 4 else 1
        // A parcel takes 64 records and then no more.
        val doors = List((warmUp + rounds * cycles) / 60 + 1) { leak.door() }
        val times = ArrayList<Long>(warmUp + rounds * cycles)
        fun cycle(i: Int) {
            val door = doors[i % doors.size]
            val draft = phone.beginAttempt(door.stopId, HandoffKind.RECIPIENT)
            val completion = failed(door)
            times += timed { phone.completeAttempt(draft.attemptId, completion) }
        }
        repeat(warmUp) { cycle(it) }
        var before = footprint()
        val heapAtFirstKb = before.heapKb
        val grewKb = (0 until rounds).map { round ->
            repeat(cycles) { cycle(warmUp + round * cycles + it) }
            val after = footprint()
            println("after ${warmUp + round * cycles}, $cycles more: heap ${before.heapKb} -> ${after.heapKb} KB, beside it ${before.nativeKb} -> ${after.nativeKb} KB")
            (after.nativeKb - before.nativeKb).also { before = after }
        }
        val warm = times.drop(warmUp).sorted()
        println("complete_attempt: median ${us(warm[warm.size / 2])}, p99 ${us(warm[warm.size * 99 / 100])} over ${warm.size}")
        assertTrue(before.heapKb - heapAtFirstKb < 2_048, "the JVM's heap grew by ${before.heapKb - heapAtFirstKb} KB")
        // 100 bytes a cycle.
        val allowedKb = if (isLong) 1_024 else 16_384
        assertTrue(grewKb.min() < allowedKb, "outside of it grew $grewKb KB")
    }

    /** The heap in use, and what the process takes beside the heap. */
    private class Footprint(val heapKb: Long, val nativeKb: Long)

    /** What is left when nothing more goes away: JNA frees its own memory behind the collector, on a thread. */
    private fun footprint(): Footprint {
        val looks = mutableListOf<Footprint>()
        while (looks.size < 60) {
            System.gc()
            Thread.sleep(100)
            looks += look()
            val last = looks.takeLast(4)
            if (last.size == 4 && last.all { it.heapKb > last.first().heapKb - 64 }) break
        }
        return looks.minBy { it.heapKb }
    }

    private fun look(): Footprint {
        val runtime = Runtime.getRuntime()
        val status = java.io.File("/proc/self/status")
        // What the process took for itself: pages of libraries come and go with their files.
        val rss = if (!status.exists()) 0 else status.readLines().first { it.startsWith("RssAnon") }.filter(Char::isDigit).toLong()
        return Footprint((runtime.totalMemory() - runtime.freeMemory()) / 1_024, rss - runtime.totalMemory() / 1_024)
    }

    private inline fun timed(call: () -> Unit): Long {
        val start = System.nanoTime()
        call()
        return System.nanoTime() - start
    }

    private fun us(ns: Long) = "${ns / 1_000} µs"

    /** Counts what crosses the border. */
    private class Counting(inner: SatchelInterface) {
        var calls = 0
        val satchel = java.lang.reflect.Proxy.newProxyInstance(
            SatchelInterface::class.java.classLoader,
            arrayOf(SatchelInterface::class.java),
        ) { _, method, arguments ->
            calls++
            method.invoke(inner, *(arguments ?: emptyArray()))
        } as SatchelInterface
    }
}
