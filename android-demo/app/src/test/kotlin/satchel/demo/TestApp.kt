package satchel.demo

import java.util.concurrent.CopyOnWriteArrayList
import javax.crypto.KeyGenerator
import javax.crypto.SecretKey
import satchel.Completion
import satchel.HandoffKind
import satchel.NetworkState
import satchel.PhotoOrigin
import satchel.Position
import satchel.Satchel
import satchel.SatchelInterface
import satchel.UrlConnectionTransport
import satchel.WrappingKeys

/** The app as it is, with a keystore in memory and a count of what crosses into the library. */
class TestApp : DemoApp() {
    val calls = CopyOnWriteArrayList<String>()
    lateinit var library: SatchelInterface
    /** Where the phone says it is. */
    var place: Position? = null

    override fun makeDesk(): Desk = Desk(
        this, MemoryKeys(), null, UrlConnectionTransport(), UrlConnectionTransport(), { NetworkState.UNMETERED },
        library = { config -> counted(Satchel.open(config).also { library = it }) },
        position = { place },
    )

    /** The calls of a visit; a proxy of the platform would wrap the library's exceptions. */
    private fun counted(inner: SatchelInterface): SatchelInterface = object : SatchelInterface by inner {
        override fun handoffs(stopId: String) = inner.handoffs(stopId).also { calls += "handoffs" }

        override fun stop(stopId: String) = inner.stop(stopId).also { calls += "stop" }

        override fun beginAttempt(stopId: String, handoff: HandoffKind) =
            inner.beginAttempt(stopId, handoff).also { calls += "beginAttempt" }

        override fun requirements(stopId: String, handoff: HandoffKind, parcelIds: List<String>) =
            inner.requirements(stopId, handoff, parcelIds).also { calls += "requirements" }

        override fun photoThumbnail(attemptId: String, hash: String) =
            inner.photoThumbnail(attemptId, hash).also { calls += "photoThumbnail" }

        override fun photoJpeg(attemptId: String, hash: String) =
            inner.photoJpeg(attemptId, hash).also { calls += "photoJpeg" }

        override fun addPhoto(attemptId: String, path: String, origin: PhotoOrigin) =
            inner.addPhoto(attemptId, path, origin).also { calls += "addPhoto" }

        override fun completeAttempt(attemptId: String, completion: Completion) =
            inner.completeAttempt(attemptId, completion).also { calls += "completeAttempt" }
    }

    private class MemoryKeys : WrappingKeys {
        private var key: SecretKey? = null

        override fun existing(): SecretKey? = key

        override fun create(): SecretKey =
            KeyGenerator.getInstance("AES").apply { init(256) }.generateKey().also { key = it }

        override fun destroy() {
            key = null
        }
    }
}
