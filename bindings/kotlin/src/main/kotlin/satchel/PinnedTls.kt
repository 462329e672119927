package satchel

import java.net.Socket
import java.nio.ByteBuffer
import java.security.KeyStore
import java.security.MessageDigest
import java.security.cert.CertificateException
import java.security.cert.X509Certificate
import javax.net.ssl.SSLContext
import javax.net.ssl.SSLEngine
import javax.net.ssl.TrustManagerFactory
import javax.net.ssl.X509ExtendedTrustManager

/**
 * The TLS of a transport: what the system trusts, and of that only what the hub named (docs/adr/0048).
 *
 * Each set of pins has a context of its own, so that no connection or session made under the one before serves on.
 *
 * @param roots whose certificates are trusted; `null`: the system's. For a hub with an authority of its own.
 */
internal class PinnedTls(private val roots: KeyStore? = null) {
    private var pins = emptySet<ByteBuffer>()

    @Volatile
    var context: SSLContext = make()
        private set

    /** Takes the hub's keys; true when they are others than before. */
    @Synchronized
    fun take(hub: HubAddress): Boolean {
        val named = hub.spkiSha256.map(ByteBuffer::wrap).toSet()
        if (named == pins) return false
        pins = named
        context = make()
        return true
    }

    /** A pinned hub proves itself or gets nothing: no request goes out in the clear. */
    @Synchronized
    fun refuses(url: String): Boolean = pins.isNotEmpty() && !url.startsWith("https://", ignoreCase = true)

    private fun make(): SSLContext {
        val factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm()).apply { init(roots) }
        // The extended kind checks the host's name too; every platform of today gives it.
        val trusted = factory.trustManagers.filterIsInstance<X509ExtendedTrustManager>().first()
        return SSLContext.getInstance("TLS").apply { init(null, arrayOf(PinnedTrust(trusted, pins)), null) }
    }
}

/** Trusts what [trusted] does and, while there are [pins], of that only a server that proves to have one of these keys. */
private class PinnedTrust(
    private val trusted: X509ExtendedTrustManager,
    private val pins: Set<ByteBuffer>,
) : X509ExtendedTrustManager() {
    override fun checkServerTrusted(chain: Array<X509Certificate>, authType: String) {
        trusted.checkServerTrusted(chain, authType)
        check(chain)
    }

    override fun checkServerTrusted(chain: Array<X509Certificate>, authType: String, socket: Socket) {
        trusted.checkServerTrusted(chain, authType, socket)
        check(chain)
    }

    override fun checkServerTrusted(chain: Array<X509Certificate>, authType: String, engine: SSLEngine) {
        trusted.checkServerTrusted(chain, authType, engine)
        check(chain)
    }

    /** The first certificate alone: anybody can append a copy of any other. */
    private fun check(chain: Array<X509Certificate>) {
        if (pins.isEmpty()) return
        val shown = MessageDigest.getInstance("SHA-256").digest(chain.first().publicKey.encoded)
        if (ByteBuffer.wrap(shown) !in pins) throw CertificateException("the hub named other keys")
    }

    override fun checkClientTrusted(chain: Array<X509Certificate>, authType: String) =
        throw CertificateException("a phone serves nobody")

    override fun checkClientTrusted(chain: Array<X509Certificate>, authType: String, socket: Socket) =
        checkClientTrusted(chain, authType)

    override fun checkClientTrusted(chain: Array<X509Certificate>, authType: String, engine: SSLEngine) =
        checkClientTrusted(chain, authType)

    override fun getAcceptedIssuers(): Array<X509Certificate> = trusted.acceptedIssuers
}
