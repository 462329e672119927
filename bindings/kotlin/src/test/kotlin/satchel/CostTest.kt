package satchel

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/**
 * What the border costs: calls counted, times printed, memory watched.
 *
 * `-Dsatchel.cycles=10000` is the long form; times are asserted only there, because a debug build on a busy
 * machine says nothing about a phone.
 */
class CostTest {
    private val cycles = Integer.getInteger("satchel.cycles", 300)
    private val isLong get() = cycles >= 10_000

    @Test
    fun `a list of 200 stops is one call`() {
        val counted = Counting(SharedPhone.phone)
        val page = counted.satchel.stops(0u, 200u)
        assertEquals(200, page.stops.size)
        assertEquals(1, counted.calls)
        val times = List(if (isLong) 200 else 30) { timed { SharedPhone.phone.stops(0u, 200u) } }.drop(10).sorted()
        println("stops(200): median ${us(times[times.size / 2])}, worst ${us(times.last())}")
        if (isLong) assertTrue(times[times.size / 2] <= 2_000_000, "2 ms")
    }

    @Test
    fun `a common handoff is three calls`() {
        val counted = Counting(SharedPhone.phone)
        val door = SharedPhone.door()
        val draft = counted.satchel.beginAttempt(door.stopId, HandoffKind.RECIPIENT)
        counted.satchel.addPhoto(draft.attemptId, SharedPhone.photo(4_711), PhotoOrigin.CAMERA)
        counted.satchel.completeAttempt(draft.attemptId, handedOver(door))
        assertEquals(3, counted.calls)
        assertEquals(StopState.DONE, SharedPhone.phone.stop(door.stopId).state)
    }

    @Test
    fun `creating and completing over and over leaks nothing`() {
        val phone = SharedPhone.phone
        val doors = List(20) { SharedPhone.door() }
        val times = ArrayList<Long>(cycles)
        fun cycle(i: Int) {
            val door = doors[i % doors.size]
            val draft = phone.beginAttempt(door.stopId, HandoffKind.RECIPIENT)
            val completion = failed(door)
            times += timed { phone.completeAttempt(draft.attemptId, completion) }
        }
        repeat(cycles / 5) { cycle(it) }
        val before = footprint()
        repeat(cycles) { cycle(it) }
        val after = footprint()
        val warm = times.drop(cycles / 5).sorted()
        println("complete_attempt: median ${us(warm[warm.size / 2])}, p99 ${us(warm[warm.size * 99 / 100])} over ${warm.size}")
        println("memory: heap ${before.heapKb} -> ${after.heapKb} KB, process ${before.rssKb} -> ${after.rssKb} KB")
        assertTrue(after.heapKb - before.heapKb < 4_096, "the JVM's heap grew by ${after.heapKb - before.heapKb} KB")
        // The page caches fill up at first; a leak of one record a cycle would be 10 MB over the long form.
        assertTrue(after.rssKb - before.rssKb < 32_768, "the process grew by ${after.rssKb - before.rssKb} KB")
    }

    private class Footprint(val heapKb: Long, val rssKb: Long)

    private fun footprint(): Footprint {
        repeat(4) {
            System.gc()
            Thread.sleep(50)
        }
        val runtime = Runtime.getRuntime()
        val status = java.io.File("/proc/self/status")
        val rss = if (!status.exists()) 0 else status.readLines().first { it.startsWith("VmRSS") }.filter(Char::isDigit).toLong()
        return Footprint((runtime.totalMemory() - runtime.freeMemory()) / 1_024, rss)
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
