package satchel

import java.io.File
import java.nio.file.Path

/** What [KilledTest] kills: does its work until it is, and says each piece once it is acknowledged. */
fun main(arguments: Array<String>) {
    val (work, store, folder) = arguments
    val stops = arguments.drop(3)
    val phone = Satchel.open(config(Path.of(store)))
    fun say(line: String) {
        println(line)
        System.out.flush()
    }
    when (work) {
        "photos" -> {
            val draft = phone.beginAttempt(stops.single(), HandoffKind.RECIPIENT)
            repeat(12) {
                val file = photograph(File(folder, "killed-$it.jpg"), 8_000 + it)
                say(phone.addPhoto(draft.attemptId, file.path, PhotoOrigin.CAMERA).hash)
            }
        }
        "reports" -> for (stop in stops) {
            say(phone.report(ReportRequest(Reason.ADDRESS_WRONG, stopId = stop, words = "楼号不对")).reportId)
        }
        "completions" -> for (stop in stops) {
            val door = phone.stop(stop)
            val draft = phone.beginAttempt(stop, HandoffKind.RECIPIENT)
            phone.completeAttempt(draft.attemptId, failed(door))
            say(stop)
        }
        else -> error("unknown work: $work")
    }
    // Killed before it could end: an orderly end would prove nothing.
    Thread.sleep(60_000)
}
