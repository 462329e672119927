package satchel

import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.atomic.AtomicInteger

/** The phone of all tests that need a round; each test takes doors of its own. */
object SharedPhone : RoundPhone({ Given.inviteMore })

/** A phone with a round of 200 stops of one parcel each. */
open class RoundPhone(private val invite: () -> String) {
    private val folder: Path = Files.createTempDirectory("satchel-shared").also { it.toFile().deleteOnExit() }

    val store: Path = folder.resolve("store")

    val phone: Satchel by lazy {
        val opened = Satchel.open(config(store))
        opened.enrol(invite(), "shared test phone")
        check(SyncHost(opened, JvmHttpTransport()) { NetworkState.UNMETERED }.runUntilDone(60_000) is SyncEnd.Done)
        Runtime.getRuntime().addShutdownHook(
            Thread {
                opened.shutdown()
                folder.toFile().deleteRecursively()
            },
        )
        opened
    }

    private val doors by lazy { phone.allStops() }
    private val taken = AtomicInteger()

    /** A door no other test touches. */
    fun door(): Stop = doors[taken.getAndIncrement()]

    fun photo(seed: Int): String = photograph(folder.resolve("photo-$seed.jpg").toFile(), seed).path
}
