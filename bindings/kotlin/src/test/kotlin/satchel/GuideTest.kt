package satchel

import guide.fiveMinutes
import java.nio.file.Path
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/** The blocks of docs/guides/kotlin.md, which `scripts/bindings` strings together as they stand. */
class GuideTest {
    @TempDir
    lateinit var folder: Path

    @Test
    fun `the guide does what it says`() = runBlocking {
        val photo = photograph(folder.resolve("guide.jpg").toFile(), seed = 7)
        fiveMinutes(folder.toFile(), Given.inviteGuide, photo, signature())
    }
}
